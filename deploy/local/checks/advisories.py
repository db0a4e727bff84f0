"""Compares what is locked with the known faults in `advisories.toml`.

A locked version in an affected range is a fault of the tree. A list nobody looked at for long is only said: a check
must not begin to fail by itself because days go by.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from checks.check import CHECKOUT

LIST = Path(__file__).with_name("advisories.toml")
_PACKAGE = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)
_JAR = re.compile(r"\s(\S+?)-(\d[\d.]*(?:-\d+)?)\.jar$", re.MULTILINE)
_IMAGE = re.compile(r"(?:image:\s*|FROM\s+|Container\(\")(?:[\w.-]+/)*([\w-]+):(\d+(?:\.\d+)*)")


@dataclass(frozen=True, slots=True, order=True)
class Locked:
    """One thing at one version, and the file that says so."""

    kind: str
    name: str
    version: str
    file: str


def locked(checkout: Path) -> list[Locked]:
    """Everything whose version the tree decides."""
    sources = (
        ("package", _PACKAGE, "requirements.lock"),
        ("jar", _JAR, "deploy/local/kafka/jars.sha256"),
        ("image", _IMAGE, "docker-compose.yml"),
        ("image", _IMAGE, "deploy/Dockerfile"),
        ("image", _IMAGE, "libs/testkit/src/testkit/containers.py"),
    )
    return sorted(
        {
            Locked(kind, name.lower().replace("_", "-") if kind == "package" else name, version, file)
            for kind, pattern, file in sources
            for name, version in pattern.findall((checkout / file).read_text(encoding="utf-8"))
        }
    )


def faults(things: Sequence[Locked], known: dict[str, Any]) -> Iterator[str]:
    """A sentence for each locked thing that an advisory is about."""
    for each in things:
        for advisory in known["advisory"]:
            if (advisory["kind"], advisory["name"]) == (each.kind, each.name) and affects(advisory, each.version):
                yield (
                    f"{each.file}: {each.name} {each.version} is affected by {advisory['id']} ({advisory['about']}):"
                    f" {advisory['source']}"
                )


def affects(advisory: dict[str, Any], version: str) -> bool:
    return any(SpecifierSet(each).contains(Version(version), prereleases=True) for each in advisory["affected"])


def stale(known: dict[str, Any], today: date) -> str | None:
    """What to say when nobody looked for long."""
    age = (today - known["looked_on"]).days
    if age <= known["look_again_after_days"]:
        return None
    return f"{LIST.name} was compared with its sources {age} days ago; look again, and set looked_on"


def main() -> int:
    known = tomllib.loads(LIST.read_text(encoding="utf-8"))
    found = list(faults(locked(CHECKOUT), known))
    for sentence in found:
        print(sentence)
    old = stale(known, datetime.now(UTC).date())
    if old is not None:
        print(f"warning: {old}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
