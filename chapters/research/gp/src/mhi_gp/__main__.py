"""`python -m mhi_gp`, as the job scripts call it."""

import sys

from mhi_gp.cli import main

sys.exit(main())
