"""Routes of invites by link, public dialogs and requests to join."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.http import Body, RateLimit, Reply, Routes, Text, View
from chassis.tokens import Principal
from messaging.adapters.transaction import MessagingTx
from messaging.core.domain.dialog import BlockedError, DialogClosedError, DialogNotFoundError, NotAllowedError
from messaging.core.domain.invite import InviteInvalidError
from messaging.core.domain.membership import BannedError, DialogFullError, FixedMembersError
from messaging.core.domain.permissions import Act
from messaging.core.usecases.create_invite import CreateInvite, create_invite
from messaging.core.usecases.decide_join_request import DecideJoinRequest, JoinRequestNotFoundError, decide_join_request
from messaging.core.usecases.hold_access import hold_access
from messaging.core.usecases.join_by_invite import JoinByInvite, join_by_invite
from messaging.core.usecases.join_public_dialog import JoinPublicDialog, join_public_dialog
from messaging.core.usecases.load_dialog_for import load_dialog_for
from messaging.core.usecases.revoke_invite import RevokeInvite, revoke_invite

routes = Routes(tag="invites", rows_of_caller=False)
INVITES = "/v1/dialogs/{dialog_id}/invites"
REQUESTS = "/v1/dialogs/{dialog_id}/join-requests"
LIMIT = RateLimit("invites", per_user=120, window_s=60, fails="open")
# A token has 144 random bits; the limit is for the server's sake.
GUESSES = RateLimit("joins", per_user=60, window_s=60, fails="open")
ERRORS = (DialogNotFoundError, NotAllowedError, DialogClosedError)
JOINING = (BlockedError, DialogClosedError, BannedError, DialogFullError, FixedMembersError)
changes = routes.sharing(limit=LIMIT)


class InviteBody(Body):
    """Both may be left out: an invite without an end."""

    expires_in_s: Annotated[int, Field(ge=60, le=366 * 86400)] | None = None
    uses_max: Annotated[int, Field(ge=1, le=100_000)] | None = None


class InviteView(View):
    invite_id: UUID
    dialog_id: UUID
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None
    uses_max: int | None
    uses: int


class NewInviteView(InviteView):
    """``token`` is shown here and never again."""

    token: str


class InvitesView(View):
    items: list[InviteView]


class JoinBody(Body):
    """``message`` is for whoever decides, where somebody has to agree."""

    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
    message: Annotated[Text, Field(max_length=500)] = ""


class JoinPublicBody(Body):
    message: Annotated[Text, Field(max_length=500)] = ""


class JoinedView(View):
    """``requested``: somebody has to agree first. ``member``: the caller was in already."""

    dialog_id: UUID
    outcome: Literal["joined", "member", "requested"]


class JoinRequestView(View):
    user_id: UUID
    display_name: str
    message: str
    created_at: datetime


class JoinRequestsView(View):
    items: list[JoinRequestView]


@changes.post(INVITES, status=201, errors=(*ERRORS, FixedMembersError), summary="Make an invite link")
async def post_invite(dialog_id: UUID, body: InviteBody, principal: Principal, tx: MessagingTx) -> Reply[NewInviteView]:
    await hold_access(principal.user_id, principal.access_epoch, tx)
    command = CreateInvite(
        dialog_id=dialog_id, by=principal.user_id, expires_in_s=body.expires_in_s, uses_max=body.uses_max
    )
    made = await create_invite(command, tx)
    view = NewInviteView.of_fields(made.invite, token=made.token)
    return Reply(view, status=201, headers={"Cache-Control": "no-store"})


@routes.get(INVITES, errors=ERRORS, summary="List invites that are not revoked")
async def get_invites(dialog_id: UUID, principal: Principal, tx: MessagingTx) -> InvitesView:
    await load_dialog_for(tx, dialog_id, principal.user_id, Act.INVITE)
    return InvitesView(items=[InviteView.of_fields(row) for row in await tx.invites.of_dialog(dialog_id)])


@changes.delete(INVITES + "/{invite_id}", errors=(*ERRORS, InviteInvalidError), summary="Revoke an invite")
async def delete_invite(dialog_id: UUID, invite_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    """One's own, or another's by who manages members."""
    await revoke_invite(RevokeInvite(dialog_id=dialog_id, invite_id=invite_id, by=principal.user_id), tx)


@routes.post(
    "/v1/dialogs/join",
    limit=GUESSES,
    errors=(InviteInvalidError, DialogNotFoundError, *JOINING),
    summary="Join by an invite link",
)
async def post_join(body: JoinBody, principal: Principal, tx: MessagingTx) -> JoinedView:
    await hold_access(principal.user_id, principal.access_epoch, tx)
    command = JoinByInvite(token=body.token, user_id=principal.user_id, message=body.message)
    dialog_id, outcome = await join_by_invite(command, tx)
    return JoinedView(dialog_id=dialog_id, outcome=outcome)


@routes.post(
    "/v1/dialogs/{dialog_id}/join",
    limit=GUESSES,
    errors=(DialogNotFoundError, *JOINING),
    summary="Join a public dialog",
)
async def post_join_public(dialog_id: UUID, body: JoinPublicBody, principal: Principal, tx: MessagingTx) -> JoinedView:
    await hold_access(principal.user_id, principal.access_epoch, tx)
    command = JoinPublicDialog(dialog_id=dialog_id, user_id=principal.user_id, message=body.message)
    return JoinedView(dialog_id=dialog_id, outcome=await join_public_dialog(command, tx))


@routes.get(REQUESTS, errors=ERRORS, summary="List who asks to join")
async def get_requests(dialog_id: UUID, principal: Principal, tx: MessagingTx) -> JoinRequestsView:
    await load_dialog_for(tx, dialog_id, principal.user_id, Act.MANAGE_MEMBERS)
    return JoinRequestsView(items=[JoinRequestView(**dict(row)) for row in await tx.invites.requests_of(dialog_id)])


@changes.post(
    REQUESTS + "/{user_id}/approve",
    errors=(*ERRORS, JoinRequestNotFoundError, BannedError, DialogFullError),
    summary="Let somebody in",
)
async def post_approve(dialog_id: UUID, user_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    command = DecideJoinRequest(dialog_id=dialog_id, user_id=user_id, by=principal.user_id, approved=True)
    await decide_join_request(command, tx)


@changes.post(
    REQUESTS + "/{user_id}/decline", errors=(*ERRORS, JoinRequestNotFoundError), summary="Do not let somebody in"
)
async def post_decline(dialog_id: UUID, user_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    command = DecideJoinRequest(dialog_id=dialog_id, user_id=user_id, by=principal.user_id, approved=False)
    await decide_join_request(command, tx)
