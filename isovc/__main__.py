"""`python -m isovc`: the same as the command `isovc`."""

import sys

from isovc.cli.main import main

sys.exit(main())
