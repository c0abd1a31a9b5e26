: "${{{needed}}:?submit this file with sbatch}"
: "${1:?name the Python module to run: sbatch {{file}} train}"
