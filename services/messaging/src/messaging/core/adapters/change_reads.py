"""Whether a stored change still has the shape its readers rely on. Types they do not know pass: they are newer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from messaging.core.adapters.unreadable_reads import What, note_unreadable
from messaging.core.usecases.ports import Row

# Stands where a change was that cannot be read: streams have no holes.
UNREADABLE: Final = "event.unreadable"
_PLACE: Final = frozenset({"type", "dialog_id", "seq", "at", "account_seq"})
_OBJECTS: Final = ("member", "dialog", "poll", "card")


def is_damaged(row: Row) -> bool:
    """Of a dialog's change; it is told when it is."""
    payload = row["payload"]
    whole = isinstance(payload, dict) and _PLACE.isdisjoint(payload) and _objects(payload)
    if whole and row["type"] == "member.changed":
        whole = _is_member(payload.get("member"))
    if not whole:
        note_unreadable(What.FIELD, field="change", dialog_id=row["dialog_id"], seq=row["seq"])
    return not whole


def is_damaged_of_account(user_id: UUID, row: Row) -> bool:
    """Of a change of somebody's account; it is told when it is."""
    payload = row["payload"]
    whole = isinstance(payload, dict) and not payload.keys() & {"type", "at", "account_seq"}
    if whole and row["type"].startswith("dialog."):
        whole = row["dialog_id"] is not None
    if not whole:
        note_unreadable(What.FIELD, field="account_change", user_id=user_id, account_seq=row["account_seq"])
    return not whole


def _objects(payload: Mapping[str, Any]) -> bool:
    return all(isinstance(payload[name], dict) for name in _OBJECTS if payload.get(name) is not None)


def _is_member(member: Any) -> bool:
    if not isinstance(member, dict) or not isinstance(member.get("status"), str):
        return False
    try:
        UUID(str(member.get("user_id")))
    except ValueError:
        return False
    return True
