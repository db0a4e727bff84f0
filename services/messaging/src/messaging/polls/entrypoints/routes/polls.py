"""Routes of polls."""

from __future__ import annotations

from uuid import UUID

from chassis.http import Routes
from chassis.tokens import Principal
from messaging.adapters.transaction import MessagingTx
from messaging.core.entrypoints.routes.message_acts import ACTS, MESSAGE, TOUCHED
from messaging.core.entrypoints.schemas.messages import PollView
from messaging.polls.domain.vote import NotAPollError, PollClosedError, VoteInvalidError
from messaging.polls.entrypoints.schemas.polls import VoteBody
from messaging.polls.usecases.close_poll import close_poll
from messaging.polls.usecases.vote_in_poll import VoteInPoll, vote_in_poll

routes = Routes(tag="polls", limit=ACTS, rows_of_caller=False)


@routes.put(
    MESSAGE + "/vote",
    errors=(*TOUCHED, NotAPollError, PollClosedError, VoteInvalidError),
    summary="Vote in a poll, or change your vote",
)
async def put_vote(dialog_id: UUID, seq: int, body: VoteBody, principal: Principal, tx: MessagingTx) -> PollView:
    command = VoteInPoll(dialog_id=dialog_id, seq=seq, user_id=principal.user_id, options=body.options)
    return PollView.model_validate(await vote_in_poll(command, tx))


@routes.post(MESSAGE + "/close-poll", errors=(*TOUCHED, NotAPollError), summary="Close a poll")
async def post_close_poll(dialog_id: UUID, seq: int, principal: Principal, tx: MessagingTx) -> PollView:
    """By who asked, or a moderator."""
    return PollView.model_validate(await close_poll(dialog_id, seq, principal.user_id, tx))
