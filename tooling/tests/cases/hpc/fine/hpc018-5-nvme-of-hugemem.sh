#!/bin/bash
# cluster: roihu
#SBATCH --partition=hugemem --time=00:05:00 --mem=100G --cpus-per-task=1
#SBATCH --gres=nvme:100

true
