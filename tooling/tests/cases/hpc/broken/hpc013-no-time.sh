#!/bin/bash
# expect: HPC013:0 no --time
#SBATCH --partition=small

true
