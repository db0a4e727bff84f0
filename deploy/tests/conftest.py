"""The stack's own package is not installed: it must run before anything is. Tests find it by path."""

import sys
from pathlib import Path

LOCAL = Path(__file__).resolve().parents[1] / "local"
if str(LOCAL) not in sys.path:
    sys.path.insert(0, str(LOCAL))
