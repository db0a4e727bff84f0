"""What nodes tell each other on Redis: events as they were committed, and what is not stored.

A message is one line of JSON about what follows, then the frames one after the other. What cannot be read is no hint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from messaging.core.domain.stream import AccountEvent, StreamEvent

VISIBILITY: Final = "?"


@dataclass(frozen=True, slots=True)
class EphemeralFrame:
    """A frame that is not stored, and who of those who watch the dialog gets it: one may watch without being in it."""

    frame: bytes
    to_users: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Heard:
    """One message from another node."""

    node: str
    events: Sequence[StreamEvent] = ()
    account_events: Sequence[AccountEvent] = ()
    ephemeral: EphemeralFrame | None = None


def pack_events(node: str, events: Sequence[StreamEvent]) -> bytes:
    """Events of one dialog."""
    return _packed({"n": node, "e": [_listed(each) for each in events]}, [each.frame for each in events])


def pack_account_events(node: str, events: Sequence[AccountEvent]) -> bytes:
    """Events of one person."""
    listed = [[each.account_seq, each.type, len(each.frame)] for each in events]
    return _packed({"n": node, "a": listed}, [each.frame for each in events])


def pack_ephemeral(node: str, ephemeral: EphemeralFrame) -> bytes:
    return _packed({"n": node, "t": list(ephemeral.to_users)}, [ephemeral.frame])


def pack_visibility(viewer_id: UUID | None) -> bytes:
    """On a person's presence channel, where ``1`` and ``0`` say that they came and went: look again, all or one."""
    return f"{VISIBILITY}{viewer_id or ''}".encode()


def unpack_visibility(message: bytes) -> tuple[bool, UUID | None]:
    """Whether it says to look again, and who should; None is all. Raises ``ValueError``."""
    kind, _, viewer = message.decode().partition(VISIBILITY)
    return not kind, UUID(viewer) if viewer else None


def unpack(key: UUID, message: bytes) -> Heard:
    """``key``: the dialog or person whose channel it came on. Raises ``ValueError`` for what cannot be read."""
    line, _, rest = message.partition(b"\n")
    try:
        head: dict[str, Any] = orjson.loads(line)
        if "e" in head:
            return Heard(head["n"], events=list(_events(key, head["e"], rest)))
        if "a" in head:
            return Heard(head["n"], account_events=list(_account_events(key, head["a"], rest)))
        return Heard(head["n"], ephemeral=EphemeralFrame(rest, frozenset(UUID(each) for each in head["t"])))
    except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError) as error:
        raise ValueError("not a hint") from error


def _listed(event: StreamEvent) -> list[Any]:
    common = [event.seq, event.type, len(event.frame), event.subject_id or None, event.ended, event.message_seq]
    return [*common, list(event.hidden_from)] if event.hidden_from else common


def _packed(head: dict[str, Any], frames: Sequence[bytes]) -> bytes:
    return b"".join((orjson.dumps(head, default=str), b"\n", *frames))


def _events(key: UUID, listed: list[list[Any]], rest: bytes) -> Iterator[StreamEvent]:
    at = 0
    for seq, kind, size, subject, ended, message_seq, *more in listed:
        frame = rest[at : at + size]
        at += size
        if len(frame) != size:
            raise ValueError("cut short")
        hidden_from = frozenset(UUID(each) for each in more[0]) if more else frozenset()
        subject_id = UUID(subject) if subject else None
        yield StreamEvent(key, seq, kind, frame, subject_id, bool(ended), message_seq, hidden_from)


def _account_events(key: UUID, listed: list[list[Any]], rest: bytes) -> Iterator[AccountEvent]:
    at = 0
    for seq, kind, size in listed:
        frame = rest[at : at + size]
        at += size
        if len(frame) != size:
            raise ValueError("cut short")
        yield AccountEvent(key, seq, kind, frame)
