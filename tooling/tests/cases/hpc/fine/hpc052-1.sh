#!/bin/bash
# cluster: turso
#SBATCH --partition=short --time=00:05:00 --mem=1G
#SBATCH --mail-type=END,FAIL
#SBATCH --mail-user=a@example.org

true
