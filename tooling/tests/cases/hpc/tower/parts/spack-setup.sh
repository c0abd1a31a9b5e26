#!/bin/bash
# Installs what requirements.txt names, with {{software.compiler}}.
# Run it on {{host}}: bash {{file}}

set -euo pipefail
spack install python %{{software.compiler}}
echo "export SPACK_ENV={{storage.soft.path}}/$USER"
