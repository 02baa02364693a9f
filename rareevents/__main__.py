"""`python -m rareevents` is the command `rareevents`."""
import sys

from rareevents.cli import main

sys.exit(main())
