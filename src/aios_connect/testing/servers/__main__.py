"""``python -m aios_connect.testing.servers`` does ahead of time what the first demo would have to wait for: installs and prepares Tryton."""

from __future__ import annotations

import sys

from .tryton import prepare

if __name__ == "__main__":
    try:
        prepare(progress=lambda text: print(text, flush=True))
    except RuntimeError as error:
        sys.exit(str(error))
