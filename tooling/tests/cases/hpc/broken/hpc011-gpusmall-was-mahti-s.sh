#!/bin/bash
# cluster: roihu
# expect: HPC011:4 gpumedium is in its place
#SBATCH --partition=gpusmall --time=00:05:00 --mem=1G

true
