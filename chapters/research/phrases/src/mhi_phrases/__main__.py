"""`python3 -m mhi_phrases`, as the job scripts call it."""

import sys

from mhi_phrases.cli import main

sys.exit(main())
