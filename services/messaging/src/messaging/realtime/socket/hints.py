"""What nodes tell each other on Redis: events as they were committed, and frames that are not stored.

A message is one line of JSON about what follows, then the payloads one after the other. What cannot be read is no hint.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from messaging.realtime.domain.websocket import payload_of, text_frame
from messaging.realtime.socket.streams import Item


@dataclass(frozen=True, slots=True)
class EphemeralFrame:
    """JSON text that is not stored, and who of those who watch the stream gets it; None: all."""

    payload: bytes
    to_users: Collection[UUID] | None = None


@dataclass(frozen=True, slots=True)
class Hint:
    """One message of a node."""

    node: str
    forget: bool = False
    items: Sequence[Item] = ()
    ephemeral: EphemeralFrame | None = None


def pack_items(node: str, items: Sequence[Item]) -> bytes:
    """Events of one stream."""
    payloads = [payload_of(each.data) for each in items]
    listed = [_listed(item, len(payload)) for item, payload in zip(items, payloads, strict=True)]
    return _packed({"n": node, "e": listed}, payloads)


def pack_ephemeral(node: str, ephemeral: EphemeralFrame) -> bytes:
    to_users = None if ephemeral.to_users is None else list(ephemeral.to_users)
    return _packed({"n": node, "t": to_users}, [ephemeral.payload])


def pack_forget(node: str) -> bytes:
    """Something of the past of a stream may be shown to fewer than before."""
    return _packed({"n": node, "f": True}, ())


def unpack(message: bytes) -> Hint:
    """Raises ``ValueError`` for what cannot be read."""
    line, _, rest = message.partition(b"\n")
    try:
        head: dict[str, Any] = orjson.loads(line)
        if "e" in head:
            return Hint(head["n"], items=list(_items(head["e"], rest)))
        if "f" in head:
            return Hint(head["n"], forget=True)
        to_users = None if head["t"] is None else frozenset(UUID(each) for each in head["t"])
        return Hint(head["n"], ephemeral=EphemeralFrame(rest, to_users))
    except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError) as error:
        raise ValueError("not a hint") from error


def _listed(item: Item, size: int) -> list[Any]:
    common = [item.seq, item.type, size, item.subject_id or None, item.ended, item.about_seq or None]
    return [*common, list(item.hidden_from)] if item.hidden_from else common


def _packed(head: dict[str, Any], payloads: Sequence[bytes]) -> bytes:
    return b"".join((orjson.dumps(head, default=str), b"\n", *payloads))


def _items(listed: list[list[Any]], rest: bytes) -> Iterator[Item]:
    at = 0
    for seq, kind, size, subject, ended, about_seq, *more in listed:
        payload = rest[at : at + size]
        at += size
        if len(payload) != size:
            raise ValueError("cut short")
        hidden_from = frozenset(UUID(each) for each in more[0]) if more else frozenset()
        subject_id = UUID(subject) if subject else None
        yield Item(seq, text_frame(payload), kind, subject_id, bool(ended), about_seq or 0, hidden_from)
