"""Places in the checkout, and stamps that say which step was done for which input.

A stamp holds the digest of everything the step read; when the digest differs, the step runs again. It lies inside what
the step makes, so it goes when that goes, and it is taken away before the step begins: an interrupted one runs again.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
LOCAL = CHECKOUT / ".local"
DEPLOY = CHECKOUT / "deploy" / "local"
LOG = LOCAL / "logs" / "bootstrap.log"
CACHES = LOCAL / "cache"  # of package clients, which would otherwise write to the home directory


class BootstrapError(Exception):
    """What is missing and cannot be had, in one sentence."""


def digest(paths: Iterable[Path], *words: str) -> str:
    """One digest over the files' names and contents, and some words."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(path.relative_to(CHECKOUT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    for word in words:
        total.update(word.encode() + b"\0")
    return total.hexdigest()


def stamped(path: Path, value: str) -> bool:
    """Whether the step whose stamp is ``path`` was done to its end for ``value``."""
    return path.exists() and path.read_text(encoding="ascii") == value


@contextmanager
def stamping(path: Path, value: str) -> Iterator[None]:
    """Do a step: its stamp is absent until the step has ended without an error."""
    path.unlink(missing_ok=True)
    yield
    path.write_text(value, encoding="ascii")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two commands in one checkout do not install at once: the second waits, then finds it done."""
    for folder in (LOG.parent, CACHES):
        folder.mkdir(parents=True, exist_ok=True)
    with (LOCAL / "bootstrap.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
