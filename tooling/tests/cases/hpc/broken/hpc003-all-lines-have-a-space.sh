#!/bin/bash
# expect: HPC003:6 is a comment
# expect: HPC003:7 is a comment
# expect: HPC011:0
# expect: HPC013:0
# SBATCH --partition=small
# SBATCH --time=00:05:00

true
