"""Votes and the ends of polls, on ports in memory."""

from datetime import timedelta

import pytest

from messaging.core.domain.dialog import NotAllowedError
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.domain.permissions import Role
from messaging.polls.domain.vote import NotAPollError, PollClosedError, VoteInvalidError
from messaging.polls.usecases.close_poll import close_poll
from messaging.polls.usecases.end_poll import end_poll
from messaging.polls.usecases.vote_in_poll import VoteInPoll, vote_in_poll
from messaging_testing.fakes_polls import SEQ, FakePollsTx, a_poll
from messaging_testing.fakes_shared import DIALOG, NOW, OTHER, SENDER, a_dialog, a_member


@pytest.fixture
def tx():
    return FakePollsTx()


def voting(*options, seq=SEQ):
    return VoteInPoll(dialog_id=DIALOG, seq=seq, user_id=SENDER, options=options)


def told(tx):
    return [(kind, parts["actor_id"], parts["payload"]["poll"]["votes"]) for _, kind, parts in tx.stream.changes]


async def test_a_vote_is_counted_and_told_and_taken_back(tx):
    assert await vote_in_poll(voting(1), tx) == {"votes": [0, 1, 0], "mine": [1]}
    assert await vote_in_poll(voting(1, 1), tx) == {"votes": [0, 1, 0], "mine": [1]}
    assert await vote_in_poll(voting(), tx) == {"votes": [0, 0, 0], "mine": []}
    assert told(tx) == [("poll.changed", SENDER, [0, 1, 0]), ("poll.changed", SENDER, [0, 0, 0])]
    assert "mine" not in tx.stream.changes[0][2]["payload"]["poll"]


async def test_nobody_learns_who_voted_anonymously(tx):
    tx.polls.by_place[DIALOG, SEQ] = a_poll(anonymous=True)
    await vote_in_poll(voting(0), tx)
    assert told(tx) == [("poll.changed", None, [1, 0, 0])]


@pytest.mark.parametrize(
    ("poll", "options", "refusal"),
    [
        (a_poll(), [3], VoteInvalidError),
        (a_poll(), [-1], VoteInvalidError),
        (a_poll(), [0, 1], VoteInvalidError),
        (a_poll(multiple=True), [0, 1], None),
        (a_poll(closed_at=NOW), [0], PollClosedError),
        (a_poll(closes_at=NOW), [0], PollClosedError),
        (a_poll(closes_at=NOW + timedelta(seconds=1)), [0], None),
    ],
)
async def test_what_a_vote_may_be(tx, poll, options, refusal):
    tx.polls.by_place[DIALOG, SEQ] = poll
    if refusal is None:
        assert (await vote_in_poll(voting(*options), tx))["mine"] == options
    else:
        with pytest.raises(refusal):
            await vote_in_poll(voting(*options), tx)
        assert (tx.polls.votes, told(tx)) == ({}, [])


async def test_there_is_a_poll_only_in_a_message_that_has_one(tx):
    with pytest.raises(MessageNotFoundError):
        await vote_in_poll(voting(0, seq=8), tx)
    tx.polls.by_place.clear()
    with pytest.raises(NotAPollError):
        await vote_in_poll(voting(0), tx)


@pytest.mark.parametrize(
    ("sender_id", "role", "may"),
    [(SENDER, Role.MEMBER, True), (OTHER, Role.MEMBER, False), (OTHER, Role.MODERATOR, True)],
)
async def test_who_closes_a_poll(tx, sender_id, role, may):
    tx.messages.sender_id = sender_id
    tx.dialogs.members[SENDER] = a_member(role=role)
    if may:
        await close_poll(DIALOG, SEQ, SENDER, tx)
        assert told(tx) == [("poll.changed", SENDER, [0, 0, 0])]
    else:
        with pytest.raises(NotAllowedError):
            await close_poll(DIALOG, SEQ, SENDER, tx)
    assert (tx.polls.by_place[DIALOG, SEQ].closed_at == NOW) is may


async def test_a_poll_ends_once(tx):
    poll = a_poll()
    await end_poll(a_dialog(), poll, None, tx)
    await end_poll(a_dialog(), poll, SENDER, tx)
    assert told(tx) == [("poll.changed", None, [0, 0, 0])]
