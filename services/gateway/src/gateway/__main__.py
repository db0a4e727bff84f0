"""``python -m gateway``: render, validate, openapi, run, drain."""

from __future__ import annotations

import sys

from gateway.commands import main

sys.exit(main(sys.argv[1:]))
