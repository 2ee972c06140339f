"""Runs the command line as `python -m visionmtl`."""

import sys

from visionmtl.cli import main

sys.exit(main())
