"""``python -m aios_connect`` is ``aios``."""

from __future__ import annotations

import sys

from aios_connect.cli import main

if __name__ == "__main__":
    sys.exit(main())
