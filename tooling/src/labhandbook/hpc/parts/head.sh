: "${{{needed}}:?submit this file with sbatch; do not run it on the login node}"
: "${1:?name the Python module to run: sbatch {{file}} train}"
