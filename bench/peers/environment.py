"""A peer's packages, in an environment of their own, so that they change no version of ours."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from testkit.infra import repository_root

HERE = Path(__file__).parent
PLACE = repository_root() / ".local" / "bench"


class Absent(Exception):  # noqa: N818 -- what it is, not a fault
    """This peer cannot be had here. Says what was tried."""


def version_of(peer: str) -> str:
    """As its file pins it: the first line is the peer, the others are what it needs."""
    return _pins(peer).splitlines()[0].partition("==")[2]


def python_of(peer: str) -> Path:
    """The interpreter that has the peer; installed when it is not yet. Raises ``Absent``."""
    folder = PLACE / f"{peer}-{version_of(peer)}-{hashlib.sha256(_pins(peer).encode()).hexdigest()[:8]}"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        print(f"installing {peer} {version_of(peer)} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", f"{HERE / peer}.txt"]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no word"])[-1]
            raise Absent(f"pip install -r bench/peers/{peer}.txt: {said}")
        (folder / ".ready").touch()
    return python


def _pins(peer: str) -> str:
    return (HERE / f"{peer}.txt").read_text(encoding="utf-8")
