"""The sentence of each reason code that travels in records, for the people who read why.

Made by ``python -m contracts reasons`` from the ``reasons.toml`` that each service keeps beside its codes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

FILE: Final = "reasons.json"
LANGUAGES: Final = ("en", "th", "id", "ms", "vi")
FALLBACK: Final = "en"

Sentences = Mapping[str, str]  # by language


@cache
def published_reasons() -> Mapping[str, Mapping[str, Sentences]]:
    """Sentences by the service that gives the code, and by code."""
    text = resources.files("contracts").joinpath(FILE).read_text(encoding="utf-8")
    found: Mapping[str, Mapping[str, Sentences]] = json.loads(text)
    return found


def reason_text(code: str, language: str, *, of: str) -> str | None:
    """The sentence of a code in a record of the service ``of``; None for a code that nobody published.

    A record may carry the code of another service, which is the code's first word. Unknown languages read English.
    """
    published = published_reasons()
    for service in (of, code.partition(".")[0]):
        sentences = published.get(service, {}).get(code)
        if sentences is not None:
            return sentences.get(language, sentences[FALLBACK])
    return None
