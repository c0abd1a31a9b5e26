: "${{{needed}}:?submit this file with sbatch}"
: "${1:?name the Python module to run: sbatch {{file}} train}"
# Threads of NumPy and PyTorch.
export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK"
