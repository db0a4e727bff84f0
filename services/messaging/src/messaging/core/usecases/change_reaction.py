"""Put a reaction on a message, or take it back. Doing either twice changes nothing the second time."""

from __future__ import annotations

from dataclasses import dataclass

from messaging.core.domain.commands import MessageCommand
from messaging.core.domain.permissions import Act
from messaging.core.domain.reactions import Reaction, TooManyReactionsError, has_room
from messaging.core.usecases.load_message_for import LoadedMessage, load_message_for
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReaction(MessageCommand):
    """``emoji`` in its full spelling. ``added`` False: take it back."""

    emoji: str
    added: bool


async def change_reaction(command: ChangeReaction, tx: Tx) -> None:
    """Raises ``TooManyReactionsError``, and what hinders the person from reacting."""
    loaded = await load_message_for(tx, command.dialog_id, command.seq, command.user_id, Act.REACT)
    reaction = Reaction(command.dialog_id, command.seq, command.user_id, command.emoji)
    if command.added:
        if not has_room(await tx.reactions.counts_beside(reaction)):
            raise TooManyReactionsError
        changed = await tx.reactions.add(reaction, tx.now)
    else:
        changed = await tx.reactions.remove(reaction)
    if changed:
        await _announce(command, reaction, loaded, tx)


async def _announce(command: ChangeReaction, reaction: Reaction, loaded: LoadedMessage, tx: Tx) -> None:
    tx.stream.change(
        loaded.dialog,
        "reaction.changed",
        actor_id=command.user_id,
        message_seq=command.seq,
        payload={
            "user_id": command.user_id,
            "emoji": command.emoji,
            "added": command.added,
            "count": await tx.reactions.count(reaction),
            "sender_id": loaded.row["sender_id"],
        },
    )
