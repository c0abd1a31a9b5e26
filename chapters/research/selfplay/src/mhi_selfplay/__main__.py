"""`python3 -m mhi_selfplay` is `mhi-selfplay`."""

import sys

from mhi_selfplay.cli import main

sys.exit(main())
