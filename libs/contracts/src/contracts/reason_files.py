"""Gathers ``services/<name>/src/<name>/reasons.toml`` of every service into what contracts publishes.

[[reason]]
codes = ["payment.limit.daily", "payment.limit.monthly"]
en = "The payment would go over a limit of your wallet."
th = "…"
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from contracts.folders import checkout, generated_folder
from contracts.reasons import FILE, LANGUAGES, Sentences
from registry import load_services

SOURCE: Final = "reasons.toml"


class ReasonsFileError(ValueError):
    """A ``reasons.toml`` lacks a language, names a code twice, or holds something else; the message says where."""


def gathered_reasons(folder: Path) -> dict[str, dict[str, Sentences]]:
    """By service and code, of the checkout ``folder``. Raises ``ReasonsFileError``."""
    found = {}
    for service in load_services(folder):
        path = folder / "services" / service.name / "src" / service.name / SOURCE
        if path.exists():
            found[service.name] = read_reasons(path)
    return found


def read_reasons(path: Path) -> dict[str, Sentences]:
    """One file's sentences by code, in the order of the codes. Raises ``ReasonsFileError``."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ReasonsFileError(f"{path}: {error}") from None
    found: dict[str, Sentences] = {}
    for code, sentences in _entries(content, path):
        if code in found:
            raise ReasonsFileError(f"{path}: {code} stands there twice")
        found[code] = sentences
    return dict(sorted(found.items()))


def made_file() -> Path:
    return generated_folder() / "contracts" / FILE


def made_text() -> str:
    """What ``made_file`` has to hold."""
    return json.dumps(gathered_reasons(checkout()), ensure_ascii=False, indent=1) + "\n"


def _entries(content: Mapping[str, object], path: Path) -> Iterator[tuple[str, Sentences]]:
    blocks = content.get("reason", [])
    if content.keys() - {"reason"} or not isinstance(blocks, list):
        raise ReasonsFileError(f"{path}: it holds [[reason]] blocks and nothing else")
    for block in blocks:
        sentences = {language: str(block.get(language, "")) for language in LANGUAGES}
        codes = block.get("codes")
        if not codes or block.keys() != {"codes", *LANGUAGES}:
            raise ReasonsFileError(f"{path}: {codes}: a reason has codes and a sentence in {', '.join(LANGUAGES)}")
        if any(not text or text != text.strip() for text in sentences.values()):
            raise ReasonsFileError(f"{path}: {codes}: a sentence is empty, or has spaces around it")
        for code in codes:
            yield code, sentences
