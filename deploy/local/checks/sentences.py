"""python -m checks.sentences [PACKAGE…]: every code that can be raised has its sentence in five languages.

What a request may be refused with has its English in the class and the rest in ``problems.json``; what travels in
records has all in ``reasons.toml``. A sentence without a code is a fault too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from checks.check import CHECKOUT
from checks.codes import Package
from contracts.reason_files import SOURCE, ReasonsFileError, read_reasons
from contracts.reasons import Sentences

PROBLEMS: Final = "problems.json"
LANGUAGES: Final = frozenset({"th", "id", "ms", "vi"})
FRAMEWORK: Final = "chassis"  # its sentences are those of everybody who answers with its codes

Titles = Mapping[str, Mapping[str, str]]


def packages_of(checkout: Path) -> list[Package]:
    """Every package of the services and the libraries."""
    kinds = ("libs", "services")
    paths = [path for kind in kinds for path in sorted((checkout / kind).glob("*/src/*/__init__.py"))]
    return [Package(path.parent) for path in paths]


def faults_of(package: Package, framework: Titles) -> Iterator[str]:
    """Sentences about what is missing or left over in one package. ``framework`` has the titles of the chassis."""
    titles = titles_of(package)
    try:
        reasons = reasons_of(package)
    except ReasonsFileError as error:
        yield str(error)
        return
    for code, english in package.answers.items():
        found = titles.get(code) or framework.get(code, {})
        whole = found.keys() == LANGUAGES and all(text.strip() for text in found.values())
        if not english:
            yield f"{code} has no English title"
        if not whole and (found or code not in reasons):
            yield f"{code} needs a sentence in {', '.join(sorted(LANGUAGES))}, and in no other language, in {PROBLEMS}"
    for code in (package.reasons | package.refusals_of_commands) - reasons.keys():
        yield f"{code} is given as a reason and has no sentences in {SOURCE}"
    for code in titles.keys() - package.answers.keys():
        yield f"{code} stands in {PROBLEMS}, and nothing answers with it"
    for code in reasons.keys() - package.reasons - package.answers.keys():
        yield f"{code} stands in {SOURCE}, and nothing gives it"


def titles_of(package: Package) -> Titles:
    path = package.folder / PROBLEMS
    titles: Titles = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return titles


def reasons_of(package: Package) -> Mapping[str, Sentences]:
    """Sentences by code. Raises ``ReasonsFileError``."""
    path = package.folder / SOURCE
    return read_reasons(path) if path.exists() else {}


def main(names: list[str]) -> int:
    packages = packages_of(CHECKOUT)
    framework = next(titles_of(package) for package in packages if package.name == FRAMEWORK)
    chosen = [package for package in packages if not names or package.name in names]
    faults = [f"{package.name}: {fault}" for package in chosen for fault in sorted(faults_of(package, framework))]
    count = sum(len(package.answers) + len(package.reasons) for package in chosen)
    print("\n".join(faults) or f"{count} codes have their sentences")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
