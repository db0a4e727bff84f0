"""Make an invite: a link that lets in whoever has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from kernel.ids import uuid7
from messaging.core.domain.commands import DialogCommand
from messaging.core.domain.invite import InviteRow, new_token, token_hash
from messaging.core.domain.membership import require_shared
from messaging.core.domain.permissions import Act
from messaging.core.usecases.load_dialog_for import load_dialog_for
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateInvite(DialogCommand):
    """None: without an end, for any number of people."""

    expires_in_s: int | None = None
    uses_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvite:
    """``token`` is shown once and kept as a hash."""

    invite: InviteRow
    token: str


async def create_invite(command: CreateInvite, tx: Tx) -> NewInvite:
    dialog, _ = await load_dialog_for(tx, command.dialog_id, command.by, Act.INVITE)
    require_shared(dialog)
    token = new_token()
    row = InviteRow(
        invite_id=uuid7(),
        dialog_id=command.dialog_id,
        created_by=command.by,
        created_at=tx.now,
        expires_at=tx.now + timedelta(seconds=command.expires_in_s) if command.expires_in_s else None,
        uses_max=command.uses_max,
    )
    await tx.invites.add(row, token_hash(token))
    return NewInvite(invite=row, token=token)
