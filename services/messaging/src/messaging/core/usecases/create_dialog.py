"""Open a dialog: between two (there is only one, whoever starts), with a shop, or for many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from kernel.errors import DomainError, Kind
from kernel.ids import uuid7
from messaging.core.domain.cards import EntityType
from messaging.core.domain.dialog import PAIRS, BlockedError, Dialog, DialogKind, NewDialog, PeopleUnknownError
from messaging.core.domain.ids import MAIN_WORKSPACE, pair_key
from messaging.core.domain.membership import MEMBERS_MAX
from messaging.core.domain.permissions import Role
from messaging.core.usecases.admit_members import admit_members
from messaging.core.usecases.ports import Tx


class PeopleMissingError(DomainError):
    code, kind = "messaging.dialog.people_missing", Kind.INVALID
    title = "This dialog needs exactly one other person, or a bot"


class PairUntitledError(DomainError):
    """Each of two is shown the other's name: what one of them could write there, the other would take for the truth."""

    code, kind = "messaging.dialog.pair_untitled", Kind.INVALID
    title = "A dialog of two has no title and no description"


class ShopUnknownError(DomainError):
    code, kind = "messaging.dialog.shop_unknown", Kind.INVALID
    title = "There is no such shop to write to"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDialog:
    """``user_ids``: the others."""

    kind: DialogKind
    created_by: UUID
    user_ids: tuple[UUID, ...] = ()
    title: str = ""
    description: str = ""
    is_public: bool = False
    shop_id: UUID | None = None


async def create_dialog(command: CreateDialog, tx: Tx) -> tuple[UUID, bool]:
    """The dialog's id, and whether it is new."""
    if command.kind in PAIRS and (command.title or command.description):
        raise PairUntitledError(pointer="/title" if command.title else "/description")
    if command.kind is DialogKind.BUSINESS:
        command = await _with_owner(command, tx)
    others = tuple(dict.fromkeys(each for each in command.user_ids if each != command.created_by))
    pair = _pair(command, others)
    if pair is not None and (known := await tx.dialogs.of_pair(MAIN_WORKSPACE, pair)):
        await _rejoin(known, command, others, tx)
        return known, False
    if command.kind is DialogKind.BUSINESS and not command.title:  # the one that there is bears its name already
        raise ShopUnknownError(pointer="/shop_id")
    await _require_reachable(command, others, tx)
    dialog = await tx.dialogs.add(
        NewDialog(
            dialog_id=uuid7(),
            workspace_id=MAIN_WORKSPACE,
            kind=command.kind,
            members_max=MEMBERS_MAX[command.kind],
            title=command.title,
            description=command.description,
            pair_key=pair,
            created_by=command.created_by,
            is_public=command.is_public and pair is None,
        ),
        tx.now,
    )
    if dialog is None:
        assert pair is not None  # noqa: S101 -- only a pair can be there already
        known = await tx.dialogs.of_pair(MAIN_WORKSPACE, pair)
        assert known is not None  # noqa: S101 -- the other's insert was committed, or ours would not have conflicted
        return known, False
    await _admit(dialog, command, others, tx)
    return dialog.dialog_id, True


async def _rejoin(dialog_id: UUID, command: CreateDialog, others: tuple[UUID, ...], tx: Tx) -> None:
    """Whoever left a bot and starts it again is in their dialog again. With who has ended none is opened."""
    if await tx.endings.ended_among(others):
        if command.kind is DialogKind.BUSINESS:
            raise ShopUnknownError(pointer="/shop_id")
        raise PeopleUnknownError(pointer="/user_ids")
    dialog = await tx.stream.lock(dialog_id)
    member = await tx.dialogs.find_member(dialog_id, command.created_by)
    if dialog.kind == DialogKind.BOT and member is not None and not member.present:
        await _require_reachable(command, others, tx)
        await admit_members([(dialog, [(command.created_by, Role.MEMBER)])], command.created_by, tx)


async def _with_owner(command: CreateDialog, tx: Tx) -> CreateDialog:
    """The shop's owner is the other side, and the dialog bears the shop's name."""
    key = (EntityType.SHOP, command.shop_id or UUID(int=0))
    shop = (await tx.entities.find([key])).get(key)
    if shop is None or command.created_by in shop.parties:
        raise ShopUnknownError(pointer="/shop_id")
    return replace(command, user_ids=shop.parties, title=tx.entities.text_of(shop, "name") or "")


def _pair(command: CreateDialog, others: tuple[UUID, ...]) -> str | None:
    if command.kind not in PAIRS:
        return None
    if len(others) != 1:
        if command.kind is DialogKind.BUSINESS:
            raise ShopUnknownError(pointer="/shop_id")
        raise PeopleMissingError(pointer="/user_ids")
    pair = pair_key(command.created_by, others[0])
    # A customer of two shops of one owner talks with each of them apart.
    return f"{pair}:{command.shop_id}" if command.kind is DialogKind.BUSINESS else pair


async def _require_reachable(command: CreateDialog, others: tuple[UUID, ...], tx: Tx) -> None:
    direct = command.kind is DialogKind.DIRECT
    respect_privacy = command.kind is not DialogKind.BUSINESS
    refused = await tx.contacts.unreachable(command.created_by, others, respect_privacy=respect_privacy)
    if refused.ended and command.kind is DialogKind.BUSINESS:
        raise ShopUnknownError(pointer="/shop_id")
    if refused.blocked and command.kind in PAIRS:
        raise BlockedError
    bots = await tx.people.bots_among(others)
    if refused.blocked or (refused.unknown and command.kind is not DialogKind.BUSINESS):
        raise PeopleUnknownError(pointer="/user_ids")
    if (direct and bots) or (command.kind is DialogKind.BOT and not bots):
        raise PeopleUnknownError(pointer="/user_ids")


async def _admit(dialog: Dialog, command: CreateDialog, others: tuple[UUID, ...], tx: Tx) -> None:
    tx.stream.created(dialog)
    first = Role.MEMBER if command.kind in PAIRS else Role.OWNER
    tx.events.dialog_created(dialog, command.created_by, tx.now)
    people = [(command.created_by, first), *((each, Role.MEMBER) for each in others)]
    await admit_members([(dialog, people)], command.created_by, tx)
