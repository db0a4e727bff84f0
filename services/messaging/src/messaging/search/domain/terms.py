"""A message as the terms it is found by: those of its texts, ``@`` who wrote it, ``!`` its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from words.segments import runs_of
from words.terms import run_terms

TERMS_MAX: Final = 6_000
SENDER, TYPE = "@", "!"
_TEXT_FIELDS: Final = ("text", "question", "name")


def searchable_fields(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What of a message can be searched: the field's name and its text."""
    found = [(name, content[name]) for name in _TEXT_FIELDS if isinstance(content.get(name), str) and content[name]]
    options = content.get("options")
    if isinstance(options, list):
        found += [(f"options/{n}", each) for n, each in enumerate(options) if isinstance(each, str)]
    return found


def terms_of(content: Mapping[str, Any], sender_id: UUID | None, kind: str) -> set[str]:
    """Everything the message is found by, in the clear; only ``blind`` terms are stored."""
    terms = {TYPE + kind}
    if sender_id is not None:
        terms.add(sender_term(sender_id))
    for _, text in searchable_fields(content):
        for run in runs_of(text):
            terms |= run_terms(run)
            if len(terms) > TERMS_MAX:
                return terms
    return terms


def sender_term(sender_id: UUID) -> str:
    return SENDER + str(sender_id)
