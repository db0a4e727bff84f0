"""How much long tests do: what fits continuous integration, or with ``SAMPAN_CI_SIZE=soak`` (``make soak``) all."""

from __future__ import annotations

import os
from typing import Final

SOAK: Final = os.environ.get("SAMPAN_CI_SIZE") == "soak"
