"""Finds a Java new enough for Kafka without starting one: each Java home says its version in a file `release`."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

OLDEST = 17


def find_java() -> str | None:
    """The path of a `java` of at least version 17; None when there is none."""
    for java in _candidates():
        if java.exists() and _version(java) >= OLDEST:
            return str(java)
    return None


def _candidates() -> Iterator[Path]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin" / "java"
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path)
    yield from sorted(Path("/usr/lib/jvm").glob("*/bin/java"))


def _version(java: Path) -> int:
    release = java.resolve().parent.parent / "release"
    if not release.exists():
        return 0
    match = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(encoding="utf-8"), re.MULTILINE)
    return int(match.group(1)) if match else 0
