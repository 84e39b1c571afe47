"""`python -m visual_debug`: the command line; see `visual_debug.cli`."""

import sys

from visual_debug.cli import main

if __name__ == "__main__":
    sys.exit(main())
