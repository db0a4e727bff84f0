"""``python -m contracts``: make what is generated, check what is promised, apply what is declared."""

from __future__ import annotations

import sys

from contracts.commands import main

sys.exit(main(sys.argv[1:]))
