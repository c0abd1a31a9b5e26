#!/bin/bash
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append

export MIOPEN_USER_DB_PATH="/tmp/$USER-miopen-$SLURM_JOB_ID" MIOPEN_CUSTOM_CACHE_DIR=/tmp/cache
DATA_PATH=/scratch/project_465000000/data MODEL_PATH=/flash/project_465000000/model
export PYTHONPATH=/scratch/project_465000000/code:$PYTHONPATH
source ~/.bashrc
. /scratch/project_465000000/settings.sh
./configure --prefix=$HOME/tool
srun python -m train
