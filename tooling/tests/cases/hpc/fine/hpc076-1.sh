#!/bin/bash
# cluster: roihu
#SBATCH --partition=hugemem --time=00:05:00 --cpus-per-task=1 --mem=10G --gres=nvme:100

module load python-pytorch
cd "$LOCAL_SCRATCH"
