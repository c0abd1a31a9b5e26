#!/bin/bash
# folders: none
# expect: HPC005:12 and in the commands <project>, <env_name>
# expect: HPC032:14 20 GPU-hours, and 2.5 GPU-hours with --partition=small-g --cpus-per-task=7
# expect: HPC030:17
# expect: HPC040:21
# expect: HPC041:21
# expect: HPC042:21
# expect: HPC053:23
# expect: HPC061:28
# SBATCH directives
#SBATCH --account=<project>
#SBATCH --job-name=<your_job_name>
#SBATCH --partition=standard-g
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gres=gpu:1
#SBATCH --mem=32GB
#SBATCH --time=05:00:00
#SBATCH --output=slurm_log/%x_%A.out # Log path: jobname_jobID.out
# Environment setup
export PATH="/scratch/<project>/<env_name>/bin:$PATH"
cd $SLURM_SUBMIT_DIR
export PYTHONPATH=$PWD

# Execute
srun python -m your_python_script.py
