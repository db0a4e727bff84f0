"""Refuse as a change of a member would be refused, where there is nothing to change."""

from __future__ import annotations

from messaging.core.domain.commands import MemberCommand
from messaging.core.usecases.load_dialog_of_member import load_dialog_of_member
from messaging.core.usecases.load_present_member import load_present_member
from messaging.core.usecases.ports import Tx


async def check_member(command: MemberCommand, tx: Tx) -> None:
    """Raises ``DialogNotFoundError`` or ``MemberNotFoundError``, which hides either of them."""
    await load_dialog_of_member(tx, command.dialog_id, command.by)
    await load_present_member(command.dialog_id, command.user_id, tx)
