"""Text in the five languages Sampan writes.

Invariant: a localised text has at least one language, and reading it always gives something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kernel.errors import DomainError, Kind

LANGUAGES: Final = ("th", "id", "ms", "vi", "en")


class TextMissingError(DomainError):
    code, kind = "commerce.text.missing", Kind.INVALID
    title = "A text is needed in at least one language"


class TextLanguageUnknownError(DomainError):
    code, kind = "commerce.text.language_unknown", Kind.INVALID
    title = "Texts are written in th, id, ms, vi or en"


@dataclass(frozen=True, slots=True)
class LocalisedText:
    """The same words in one to five languages."""

    by_language: Mapping[str, str]

    @classmethod
    def of(cls, by_language: Mapping[str, str], *, pointer: str | None = None) -> LocalisedText:
        """The texts without those that are blank. Raises ``TextMissingError`` and ``TextLanguageUnknownError``."""
        unknown = sorted(set(by_language) - set(LANGUAGES))
        if unknown:
            raise TextLanguageUnknownError(f"{unknown[0]!r} is not one of them", pointer=pointer)
        stripped = {language: by_language[language].strip() for language in LANGUAGES if language in by_language}
        present = {language: text for language, text in stripped.items() if text}
        if not present:
            raise TextMissingError(pointer=pointer)
        return cls(present)

    def read(self, language: str, *, fallback: str = "en") -> str:
        """The text in ``language``, else in ``fallback``, else English, else whichever there is."""
        for choice in (language, fallback, "en"):
            if choice in self.by_language:
                return self.by_language[choice]
        return next(iter(self.by_language.values()))
