#!/bin/bash
# expect: HPC012:8 allows 2 hours
set -e
cd "$(dirname "$0")"
sbatch <<EOF
#!/bin/bash
#SBATCH --partition=dev-g --gpus-per-node=1 --cpus-per-task=7
#SBATCH --time=04:00:00
#SBATCH --job-name=$NAME
srun hostname
EOF
