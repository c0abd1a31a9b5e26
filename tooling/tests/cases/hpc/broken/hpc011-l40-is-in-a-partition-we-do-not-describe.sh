#!/bin/bash
# cluster: roihu
# expect: HPC011:4 does not describe
#SBATCH --partition=vizinteractive --time=00:05:00 --mem=1G
#SBATCH --gres=gpu:l40:1

true
