"""Messages that are sent later, on ports in memory."""

import uuid
from datetime import timedelta

import pytest

from kernel.errors import DomainError, Kind
from messaging.core.domain.allowance import Allowance
from messaging.core.domain.dialog import (
    BlockedError,
    DialogClosedError,
    DialogNotFoundError,
    MemberStatus,
    MutedError,
    NotAllowedError,
)
from messaging.core.domain.message import ClientMessageIdReusedError, ScheduledNotFoundError, SendMessage, Sent
from messaging.scheduling.domain.scheduled import (
    AHEAD_MAX,
    AHEAD_MIN,
    FAULTS_MAX,
    PENDING_MAX,
    RETRY_MAX,
    FailureCode,
    Outcome,
    ScheduleTimeInvalidError,
    TooManyScheduledError,
)
from messaging.scheduling.usecases.cancel_scheduled import cancel_scheduled
from messaging.scheduling.usecases.schedule_message import ScheduleMessage, schedule_message
from messaging.scheduling.usecases.send_scheduled import send_scheduled
from messaging.scheduling.usecases.settle_scheduled import settle_scheduled
from messaging_testing.fakes_scheduling import SCHEDULED, FakeSchedulingTx, a_scheduled
from messaging_testing.fakes_shared import DIALOG, NOW, OTHER, SENDER, a_dialog, a_member


@pytest.fixture
def tx():
    return FakeSchedulingTx()


def scheduling(*, ahead=timedelta(hours=1), sender_id=SENDER, scheduled_id=SCHEDULED, text="later"):
    body = {"content": {"type": "text", "text": text}}
    message = SendMessage(
        dialog_id=DIALOG, sender_id=sender_id, client_message_id=scheduled_id, content=body["content"]
    )
    return ScheduleMessage(message=message, send_at=NOW + ahead, body=body)


def told(tx):
    return [change["status"] for _, kind, change in tx.accounts.changes if kind == "scheduled.changed"]


async def test_a_message_is_kept_once_and_told_once(tx):
    kept = await schedule_message(scheduling(), tx)
    assert kept == a_scheduled() == await schedule_message(scheduling(), tx)
    assert told(tx) == ["pending"]
    assert tx.allowances.held == [(SENDER, Allowance.SCHEDULED)]
    assert SENDER in tx.sealer.people


@pytest.mark.parametrize("changed", [{"text": "else"}, {"ahead": timedelta(hours=2)}])
async def test_something_else_under_the_same_id_is_a_conflict(tx, changed):
    await schedule_message(scheduling(), tx)
    with pytest.raises(ClientMessageIdReusedError):
        await schedule_message(scheduling(**changed), tx)


async def test_one_that_was_called_back_is_not_scheduled_again(tx):
    await schedule_message(scheduling(), tx)
    await cancel_scheduled(SCHEDULED, SENDER, tx)
    assert told(tx) == ["pending", "cancelled"]
    with pytest.raises(ClientMessageIdReusedError):
        await schedule_message(scheduling(), tx)


async def test_one_that_does_not_open_any_more_is_the_same(tx):
    tx.scheduled.by_id[SCHEDULED] = a_scheduled(body=None)
    assert (await schedule_message(scheduling(), tx)).body is None


async def test_an_id_of_somebody_else_is_not_there(tx):
    tx.scheduled.by_id[SCHEDULED] = a_scheduled(user_id=OTHER)
    with pytest.raises(ScheduledNotFoundError):
        await schedule_message(scheduling(), tx)


@pytest.mark.parametrize("ahead", [AHEAD_MIN - timedelta(seconds=1), AHEAD_MAX + timedelta(seconds=1)])
async def test_it_is_for_neither_too_soon_nor_too_late(tx, ahead):
    with pytest.raises(ScheduleTimeInvalidError):
        await schedule_message(scheduling(ahead=ahead), tx)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda tx: tx.dialogs.by_id.clear(), DialogNotFoundError),
        (lambda tx: tx.dialogs.members.clear(), DialogNotFoundError),
        (lambda tx: tx.dialogs.by_id.update({DIALOG: a_dialog(closed=True)}), DialogClosedError),
        (lambda tx: tx.dialogs.by_id.update({DIALOG: a_dialog(permissions={"member": []})}), NotAllowedError),
        (lambda tx: tx.dialogs.members.update({SENDER: a_member(status=MemberStatus.MUTED)}), MutedError),
        (lambda tx: setattr(tx.sends, "blocked", True), BlockedError),
    ],
)
async def test_what_would_refuse_it_then_refuses_it_now(tx, change, refusal):
    change(tx)
    with pytest.raises(refusal):
        await schedule_message(scheduling(), tx)
    assert tx.scheduled.by_id == {}


async def test_a_mute_that_is_over_by_then_hinders_nothing(tx):
    tx.dialogs.members[SENDER] = a_member(status=MemberStatus.MUTED, muted_until=NOW + timedelta(minutes=5))
    assert await schedule_message(scheduling(), tx) == a_scheduled()


async def test_a_person_has_so_many_and_no_more(tx):
    for _ in range(PENDING_MAX):
        await schedule_message(scheduling(scheduled_id=uuid.uuid4()), tx)
    with pytest.raises(TooManyScheduledError):
        await schedule_message(scheduling(), tx)


@pytest.mark.parametrize("parts", [{"user_id": OTHER}, {"status": "sent"}, {"status": "cancelled"}])
async def test_only_ones_own_is_called_back_and_only_while_it_waits(tx, parts):
    tx.scheduled.by_id[SCHEDULED] = a_scheduled(**parts)
    with pytest.raises(ScheduledNotFoundError):
        await cancel_scheduled(SCHEDULED, SENDER, tx)
    assert told(tx) == []


class RefusedError(DomainError):
    code, title = "test.refused", "Refused"

    def __init__(self, kind, retry_after_s=None):
        super().__init__(retry_after_s=retry_after_s)
        self.kind = kind


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        (None, Outcome(seq=7)),
        (RefusedError(Kind.FORBIDDEN), Outcome(failure_code="test.refused")),
        (RefusedError(Kind.RATE_LIMITED, retry_after_s=9.0), Outcome(retry_after_s=9.0)),
        (RefusedError(Kind.UNAVAILABLE), Outcome()),
    ],
)
async def test_what_came_of_it(refusal, outcome):
    async def send(_):
        if refusal is not None:
            raise refusal
        return Sent(seq=7, sent_at=NOW)

    assert await send_scheduled(a_scheduled(), send) == outcome
    assert await send_scheduled(a_scheduled(body=None), send) == Outcome(failure_code=FailureCode.UNREADABLE)


@pytest.mark.parametrize(
    ("outcome", "status"), [(Outcome(seq=7), "sent"), (Outcome(failure_code="x"), "failed"), (Outcome(), "pending")]
)
async def test_an_outcome_is_kept_and_told_when_it_is_final(tx, outcome, status):
    tx.scheduled.by_id[SCHEDULED] = due = a_scheduled()
    await settle_scheduled(due, outcome, tx)
    assert tx.scheduled.by_id[SCHEDULED].status == status
    assert told(tx) == ([status] if outcome.final else [])


async def test_what_was_called_back_meanwhile_stays_so(tx):
    due = a_scheduled()
    tx.scheduled.by_id[SCHEDULED] = a_scheduled(status="cancelled")
    await settle_scheduled(due, Outcome(seq=7), tx)
    assert (tx.scheduled.by_id[SCHEDULED].status, told(tx)) == ("cancelled", [])


@pytest.mark.parametrize(
    ("attempts", "retry_after_s", "pause_s"), [(0, 0, 1), (3, 0, 8), (3, 20, 20), (30, 0, 300), (0, 9_000, 300)]
)
async def test_it_is_put_off_longer_each_time(tx, attempts, retry_after_s, pause_s):
    due = a_scheduled(attempts=attempts)
    await settle_scheduled(due, Outcome(retry_after_s=retry_after_s), tx)
    assert tx.scheduled.put_off_until == {SCHEDULED: NOW + timedelta(seconds=pause_s)}
    assert timedelta(seconds=pause_s) <= RETRY_MAX


def test_a_fault_is_tried_again_for_a_while():
    assert not a_scheduled(attempts=FAULTS_MAX - 1).after_fault().final
    assert a_scheduled(attempts=FAULTS_MAX).after_fault() == Outcome(failure_code="messaging.scheduled.failed")
