"""Errors of a domain: a stable code, a kind free of any transport, and what the reader can do about it.

The chassis maps a kind to an HTTP status; the consumer maps it to retry or dead letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """Why something was refused, without saying how it is told."""

    MALFORMED = "malformed"  # cannot be read at all
    INVALID = "invalid"  # readable, but a value is refused
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"  # the caller may see it, not do it
    NOT_FOUND = "not_found"  # absent, or not the caller's to know of
    CONFLICT = "conflict"  # refused by the present state
    PRECONDITION = "precondition"  # the caller's version is stale
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"  # try again later; nothing was done


class DomainError(Exception):
    """A refusal with a stable ``code`` (``domain.thing.situation``).

    ``detail`` is a sentence for the client's developer; it must not hold personal data.
    ``pointer`` is the JSON Pointer of the field at fault. ``context`` is machine-readable extras. ``replayed`` says
    that an earlier request under the same idempotency key was refused, and this is its answer again.
    """

    code: ClassVar[str] = "internal.error.unnamed"
    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "The request was refused"

    def __init__(
        self,
        detail: str = "",
        *,
        pointer: str | None = None,
        retry_after_s: float | None = None,
        context: Mapping[str, object] | None = None,
        replayed: bool = False,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.pointer = pointer
        self.retry_after_s = retry_after_s
        self.context: Mapping[str, object] = context or {}
        self.replayed = replayed
