#!/bin/bash
# folders: none
# expect: HPC005:16
# expect: HPC005:17
# expect: HPC032:18 20 GPU-hours, and 2.5 GPU-hours with --partition=small-g --cpus-per-task=7
# expect: HPC030:21
# expect: HPC040:25
# expect: HPC041:25
# expect: HPC042:25
# expect: HPC006:27
# expect: HPC006:27
# expect: HPC053:27
# expect: HPC060:32
# expect: HPC061:32
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
