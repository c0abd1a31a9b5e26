"""`python3 -m mhi_eras`, as the job scripts call it."""

import sys

from mhi_eras.cli import main

sys.exit(main())
