"""Routes of members: who is in a dialog, what they may do, how they come and go."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chassis.http import Body, Keyset, Moment, Page, PageQuery, RateLimit, Routes, View
from chassis.tokens import Principal
from messaging.adapters.transaction import MessagingTx
from messaging.core.adapters.member_store import MemberStore
from messaging.core.adapters.message_page_reads import seen_by_member
from messaging.core.domain.commands import MemberCommand
from messaging.core.domain.dialog import DialogClosedError, DialogNotFoundError, NotAllowedError, PeopleUnknownError
from messaging.core.domain.membership import (
    DialogFullError,
    FixedMembersError,
    MemberNotFoundError,
    MuteOverError,
    OwnerIsBotError,
    OwnerStaysError,
    ShopOwnerError,
)
from messaging.core.domain.permissions import Act, Role
from messaging.core.entrypoints.schemas.dialogs import RoleName
from messaging.core.usecases.add_members import AddMembers, add_members
from messaging.core.usecases.change_role import ChangeRole, change_role
from messaging.core.usecases.check_member import check_member
from messaging.core.usecases.leave_dialog import LeaveDialog, leave_dialog
from messaging.core.usecases.lift_ban import lift_ban
from messaging.core.usecases.mute_member import MuteMember, mute_member
from messaging.core.usecases.remove_member import RemoveMember, remove_member
from messaging.core.usecases.transfer_dialog import transfer_dialog
from messaging.wiring import App

routes = Routes(tag="members")
MEMBERS = "/v1/dialogs/{dialog_id}/members"
LIMIT = RateLimit("members", per_user=300, window_s=60, fails="open")
ERRORS = (DialogNotFoundError, NotAllowedError, DialogClosedError, FixedMembersError, MemberNotFoundError)
ORDER = Keyset("members", (UUID,))
FIRST = UUID(int=0)
changes = routes.sharing(limit=LIMIT, rows_of_caller=False)


class MemberView(View):
    user_id: UUID
    role: RoleName
    status: Literal["active", "muted", "left", "removed", "banned"]
    joined_at: datetime
    muted_until: datetime | None
    display_name: str
    username: str
    avatar_url: str
    is_bot: bool


class MembersQuery(PageQuery):
    """``banned``: those who cannot come in, instead of those who are; for whoever manages members."""

    banned: bool = False


class AddMembersBody(Body):
    user_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


class ChangeMemberBody(Body):
    """``muted_until`` goes with ``muted`` true; without it a mute lasts until it is taken back."""

    role: Literal["admin", "moderator", "member", "guest"] | None = None
    muted: bool | None = None
    muted_until: Moment | None = None

    @model_validator(mode="after")
    def _until_is_of_a_mute(self) -> Self:
        if self.muted_until is not None and not self.muted:
            raise ValueError("muted_until goes with muted: true")
        return self


class OwnerBody(Body):
    user_id: UUID


@routes.get(MEMBERS, errors=(DialogNotFoundError, NotAllowedError), summary="List members")
async def get_members(dialog_id: UUID, query: MembersQuery, principal: Principal, app: App) -> Page[MemberView]:
    """To members only; of a public channel too."""
    [after] = ORDER.position(app.cursors, query.cursor) or (FIRST,)
    async with app.database.read() as conn:
        dialog, member = await seen_by_member(conn, dialog_id, principal.user_id)
        if query.banned and not dialog.allows(member, Act.MANAGE_MEMBERS):
            raise NotAllowedError
        statuses = ["banned"] if query.banned else ["active", "muted"]
        rows = await MemberStore(conn).members_page(dialog_id, statuses, after=after, limit=query.limit + 1)
    return ORDER.page(app.cursors, rows, query.limit, view=MemberView.of_fields, position=lambda row: (row["user_id"],))


@changes.post(MEMBERS, errors=(*ERRORS, DialogFullError, PeopleUnknownError), summary="Add people")
async def post_members(dialog_id: UUID, body: AddMembersBody, principal: Principal, tx: MessagingTx) -> None:
    """Who is in already stays as they are."""
    await add_members(AddMembers(dialog_id=dialog_id, by=principal.user_id, user_ids=body.user_ids), tx)


@changes.patch(
    MEMBERS + "/{user_id}",
    errors=(*ERRORS, OwnerStaysError, MuteOverError, ShopOwnerError),
    summary="Give a role, mute or unmute",
)
async def patch_member(
    dialog_id: UUID, user_id: UUID, body: ChangeMemberBody, principal: Principal, tx: MessagingTx
) -> None:
    """Without anything to change nothing is changed, and who may not see it is told so all the same."""
    who = {"dialog_id": dialog_id, "by": principal.user_id, "user_id": user_id}
    if body.role is None and body.muted is None:
        await check_member(MemberCommand(**who), tx)
    if body.role is not None:
        await change_role(ChangeRole(**who, role=Role(body.role)), tx)
    if body.muted is not None:
        await mute_member(MuteMember(**who, muted=body.muted, until=body.muted_until), tx)


@changes.delete(
    MEMBERS + "/{user_id}", errors=(*ERRORS, OwnerStaysError, ShopOwnerError), summary="Leave, or remove a member"
)
async def delete_member(dialog_id: UUID, user_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    """With one's own id, one leaves. The owner hands over first."""
    if user_id == principal.user_id:
        await leave_dialog(LeaveDialog(dialog_id=dialog_id, user_id=user_id), tx)
    else:
        await remove_member(RemoveMember(dialog_id=dialog_id, by=principal.user_id, user_id=user_id), tx)


@changes.put("/v1/dialogs/{dialog_id}/bans/{user_id}", errors=(*ERRORS, ShopOwnerError), summary="Ban somebody")
async def put_ban(dialog_id: UUID, user_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    """A member goes; nobody banned comes in again, by no invite. Of a product's dialog the shop's owner stays."""
    await remove_member(RemoveMember(dialog_id=dialog_id, by=principal.user_id, user_id=user_id, ban=True), tx)


@changes.delete("/v1/dialogs/{dialog_id}/bans/{user_id}", errors=ERRORS, summary="Lift a ban")
async def delete_ban(dialog_id: UUID, user_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    await lift_ban(MemberCommand(dialog_id=dialog_id, by=principal.user_id, user_id=user_id), tx)


@changes.put("/v1/dialogs/{dialog_id}/owner", errors=(*ERRORS, OwnerIsBotError), summary="Hand the dialog over")
async def put_owner(dialog_id: UUID, body: OwnerBody, principal: Principal, tx: MessagingTx) -> None:
    """By the owner, to a person who is in; the old owner becomes an admin. A mute of the new owner ends."""
    await transfer_dialog(MemberCommand(dialog_id=dialog_id, by=principal.user_id, user_id=body.user_id), tx)
