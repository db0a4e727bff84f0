"""End what a person wrote, everywhere, and their place in every dialog.

The key goes first: from then on every copy of their words is unreadable (readers forget a cached key within 1.5 s).
The rest is tidying, in many transactions; each step may run again, and a killed erasure goes on where it was.

Kept under their bare id, which no name belongs to any more: that there was a message, reactions and votes (counts
others see stay true). What others forwarded or quoted is theirs; titles of dialogs are the dialogs'. Under legal hold
the key is set aside instead of destroyed, readable by no reader, until the last hold on a dialog of theirs is lifted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from messaging.core.usecases.leave_dialogs import leave_dialogs
from messaging.lifecycle.usecases.end_account import EndAccount, end_account
from messaging.lifecycle.usecases.ports import Begin, KeyCache

BATCH: Final = 500
_FIRST: Final = UUID(int=0)
Progress = Callable[[str], None]
Step = Callable[[Begin, UUID], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePerson:
    """``reason``: ``account_deleted`` or ``requested``."""

    user_id: UUID
    reason: str
    now: datetime


async def erase_person(command: ErasePerson, begin: Begin, keys: KeyCache, tell: Progress = lambda _: None) -> None:
    """Does what is left to do; nothing when all was done."""
    user_id, now = command.user_id, command.now
    async with begin() as tx:
        await tx.erasures.request_erasure(user_id, command.reason, now, now)
        done = await tx.erasures.steps_done(user_id)
        if "key" not in done:
            await end_account(EndAccount(user_id=user_id, ended_at=now), tx)
            await tx.erasures.shred_key(user_id, now)
            await tx.erasures.note_step(user_id, "key")
    keys.forget(user_id)
    tell("what they wrote is unreadable")
    for name, step in _STEPS.items():
        if name not in done:
            await step(begin, user_id)
            async with begin() as tx:
                await tx.erasures.note_step(user_id, name)
            tell(f"{name}: done")
    async with begin() as tx:
        await tx.erasures.finish(user_id, now)


async def _leave_dialogs(begin: Begin, user_id: UUID) -> None:
    while await leave_dialogs(begin, user_id, BATCH):
        pass


async def _clear_index(begin: Begin, user_id: UUID) -> None:
    after = _FIRST
    while True:
        async with begin() as tx:
            dialogs = await tx.members.dialogs_of(user_id, after, BATCH, present=False)
        for dialog_id in dialogs:
            await _clear_dialog(begin, dialog_id, user_id)
        if len(dialogs) < BATCH:
            return
        after = dialogs[-1]


async def _clear_dialog(begin: Begin, dialog_id: UUID, user_id: UUID) -> None:
    after_seq = 0
    while True:
        async with begin() as tx:
            messages = await tx.erasures.written_in(dialog_id, user_id, after_seq, BATCH)
            await tx.search.remove(messages)
        if len(messages) < BATCH:
            return
        after_seq = messages[-1][1]


async def _delete_own(begin: Begin, user_id: UUID) -> None:
    deleted = BATCH
    while deleted:
        async with begin() as tx:
            deleted = await tx.erasures.delete_own(user_id, BATCH)
    async with begin() as tx:
        await tx.erasures.blank_reports(user_id)
        await tx.erasures.delete_files(user_id, tx.now)


async def _end_bots(begin: Begin, user_id: UUID) -> None:
    async with begin() as tx:
        await tx.bots.blank_of(user_id)


_STEPS: Final[dict[str, Step]] = {
    "bots": _end_bots,
    "dialogs": _leave_dialogs,
    "search": _clear_index,
    "own rows": _delete_own,
}
