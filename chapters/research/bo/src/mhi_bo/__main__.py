"""`python -m mhi_bo`, as the job scripts call it."""

import sys

from mhi_bo.cli import main

sys.exit(main())
