"""Open a dialog: between two people (there is only one, whoever starts), or for many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from kernel.errors import DomainError, Kind
from kernel.ids import uuid7
from messaging.adapters.announcements import dialog_created
from messaging.adapters.contacts import unreachable
from messaging.adapters.dialog_store import NewDialog, add_dialog, dialog_of_pair
from messaging.adapters.transaction import MessagingTx
from messaging.domain.dialog import BlockedError, Dialog, DialogKind
from messaging.domain.ids import MAIN_WORKSPACE, pair_key
from messaging.domain.permissions import Role
from messaging.usecases.seating import seat

MEMBERS_MAX: Final = {DialogKind.DIRECT: 2, DialogKind.GROUP: 1_000, DialogKind.CHANNEL: 200_000}


class PeopleMissingError(DomainError):
    code: ClassVar[str] = "messaging.dialog.people_missing"
    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "A direct dialog needs exactly one other person"


class PeopleUnknownError(DomainError):
    code: ClassVar[str] = "messaging.dialog.people_unknown"
    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "Somebody in user_ids cannot be written to"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDialog:
    """``user_ids``: the others."""

    kind: DialogKind
    created_by: UUID
    user_ids: tuple[UUID, ...] = ()
    title: str = ""
    description: str = ""
    is_public: bool = False


async def create_dialog(command: CreateDialog, tx: MessagingTx) -> tuple[UUID, bool]:
    """The dialog's id, and whether it is new."""
    others = tuple(dict.fromkeys(each for each in command.user_ids if each != command.created_by))
    direct = command.kind is DialogKind.DIRECT
    if direct and len(others) != 1:
        raise PeopleMissingError(pointer="/user_ids")
    pair = pair_key(command.created_by, others[0]) if direct else None
    if pair is not None and (known := await dialog_of_pair(tx.conn, MAIN_WORKSPACE, pair)):
        return known, False
    await _require_reachable(command, others, tx)
    dialog = await add_dialog(
        tx.conn,
        NewDialog(
            dialog_id=uuid7(),
            workspace_id=MAIN_WORKSPACE,
            kind=command.kind,
            members_max=MEMBERS_MAX[command.kind],
            title=command.title,
            description=command.description,
            pair_key=pair,
            created_by=command.created_by,
            is_public=command.is_public,
        ),
        tx.now,
    )
    if dialog is None:
        assert pair is not None  # noqa: S101 -- only a pair can be there already
        known = await dialog_of_pair(tx.conn, MAIN_WORKSPACE, pair)
        assert known is not None  # noqa: S101 -- the other's insert was committed, or ours would not have conflicted
        return known, False
    await _seat(dialog, command, others, tx)
    return dialog.dialog_id, True


async def _require_reachable(command: CreateDialog, others: tuple[UUID, ...], tx: MessagingTx) -> None:
    refused = await unreachable(tx.conn, command.created_by, others, direct=command.kind is DialogKind.DIRECT)
    if refused.blocked and command.kind is DialogKind.DIRECT:
        raise BlockedError
    if refused.unknown or refused.blocked:
        raise PeopleUnknownError(pointer="/user_ids")


async def _seat(dialog: Dialog, command: CreateDialog, others: tuple[UUID, ...], tx: MessagingTx) -> None:
    tx.stream.created(dialog)
    first = Role.MEMBER if command.kind is DialogKind.DIRECT else Role.OWNER
    dialog_created(tx.outbox, dialog, command.created_by, tx.now)
    people = [(command.created_by, first), *((each, Role.MEMBER) for each in others)]
    await seat(dialog, people, command.created_by, tx)
