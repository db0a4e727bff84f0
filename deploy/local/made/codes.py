"""Every code of every package with what it says in English: what is refused, and why something happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from checks.codes import Package
from checks.sentences import packages_of, reasons_of


def parts(checkout: Path) -> Mapping[str, str]:
    sections = (_section(package) for package in packages_of(checkout))
    return {"codes": "\n".join(section for section in sections if section)}


def _section(package: Package) -> str:
    reasons = reasons_of(package)
    rows = [*_rows("refusal", package.answers), *_rows("reason", {code: reasons[code]["en"] for code in reasons})]
    head = f"## {package.name}\n\n| code | is a | says |\n| --- | --- | --- |\n"
    return head + "".join(sorted(rows)) if rows else ""


def _rows(kind: str, sentences: Mapping[str, str]) -> Iterator[str]:
    for code, sentence in sentences.items():
        yield f"| `{code}` | {kind} | {sentence} |\n"
