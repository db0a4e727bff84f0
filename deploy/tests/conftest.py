"""The stack's own package is not installed: it must run before anything is. Nor is bench/. Tests find both by path."""

import sys
from pathlib import Path

DEPLOY = Path(__file__).resolve().parents[1]
if str(DEPLOY / "local") not in sys.path:
    sys.path.insert(0, str(DEPLOY / "local"))
sys.path.append(str(DEPLOY.parent / "bench"))  # last: its files have names of everyday words
