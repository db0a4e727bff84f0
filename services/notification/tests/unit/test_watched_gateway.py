"""A channel that is down is told after some failures in a row, and works again with the first that is taken."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from kernel.ids import uuid7
from notification.adapters.watched_gateway import RECIPIENTS_MAX, WatchedGateway
from notification.domain.delivery import REFUSALS_OF_RECIPIENT, Refused, Sent, Unknown
from notification.domain.notification import Channel
from notification_testing.builders import a_code, a_delivery, a_recipient
from notification_testing.fakes import FakeGateway

AWAY = Unknown("notification.email.unreachable")


@pytest.fixture
def delivery():
    return a_code("nok@example.com")


async def test_failures_in_a_row_are_told_until_one_is_taken(delivery):
    inner = FakeGateway(AWAY)
    watched = WatchedGateway(inner)
    for number in range(RECIPIENTS_MAX):
        assert watched.problem() is None
        assert await watched.send(to(delivery, number), None) == AWAY
    assert watched.problem() == f"sends to {RECIPIENTS_MAX} recipients in a row were in vain: {AWAY.failure_code}"
    inner.outcome = Refused("notification.email.address_invalid")
    await watched.send(delivery, None)
    assert watched.problem() is not None
    inner.outcome = Sent("<1@sampan.example>")
    await watched.send(delivery, None)
    assert watched.problem() is None


async def test_what_is_raised_counts_and_is_raised_on(delivery):
    inner = FakeGateway(AWAY)
    inner.outcome = OSError("gone")
    watched = WatchedGateway(inner)
    for number in range(RECIPIENTS_MAX):
        with pytest.raises(OSError, match="gone"):
            await watched.send(to(delivery, number), None)
    assert watched.problem() == f"sends to {RECIPIENTS_MAX} recipients in a row were in vain: OSError"


@pytest.mark.parametrize("outcome", [AWAY, Refused("notification.email.refused")])
async def test_each_failure_has_a_line_in_the_log_that_says_neither_address_nor_code(delivery, outcome):
    inner = FakeGateway(AWAY)
    inner.outcome = outcome
    with capture_logs() as lines:
        await WatchedGateway(inner).send(delivery, None)
    (line,) = lines
    assert (line["event"], line["reason"]) == ("delivery.attempt_failed", outcome.failure_code)
    assert "nok@" not in str(line)
    assert "482913" not in str(line)


def to(delivery, number):
    return replace(delivery, delivery_id=uuid7(), payload={"destination": f"{number}@example.com", "code": "482913"})


@pytest.mark.parametrize("code", sorted(REFUSALS_OF_RECIPIENT))
async def test_a_row_of_refused_recipients_is_the_channels_and_they_are_tried_again_until_one_is_taken(delivery, code):
    inner = FakeGateway(AWAY)
    watched = WatchedGateway(inner)
    inner.outcome = Refused(code)
    for number in range(RECIPIENTS_MAX - 1):
        assert await watched.send(to(delivery, number), None) == Refused(code)
        assert watched.problem() is None
    assert await watched.send(to(delivery, "last"), None) == Unknown(code)
    assert watched.problem() == f"sends to {RECIPIENTS_MAX} recipients in a row were in vain: {code}"
    inner.outcome = Sent("<1@sampan.example>")
    await watched.send(to(delivery, "good"), None)
    assert watched.problem() is None
    inner.outcome = Refused(code)
    assert await watched.send(to(delivery, "bad"), None) == Refused(code)


@pytest.mark.parametrize(
    "outcome", [AWAY, *(make(code) for code in REFUSALS_OF_RECIPIENT for make in (Refused, Unknown))]
)
async def test_one_bad_recipient_is_never_the_channels_problem(delivery, outcome):
    inner = FakeGateway(AWAY)
    watched = WatchedGateway(inner)
    inner.outcome = outcome
    for _ in range(3 * RECIPIENTS_MAX):
        assert await watched.send(to(delivery, "bad"), None) == outcome
    assert watched.problem() is None


async def test_one_recipient_who_is_cut_off_is_never_the_channels_problem(delivery):
    inner = FakeGateway(AWAY)
    watched = WatchedGateway(inner)
    inner.outcome = TimeoutError()
    for _ in range(3 * RECIPIENTS_MAX):
        with pytest.raises(TimeoutError):
            await watched.send(to(delivery, "slow"), None)
    assert watched.problem() is None


async def test_a_number_that_gets_no_sms_is_never_the_channels_problem():
    inner = FakeGateway(Unknown("notification.sms.unreachable"), channel=Channel.SMS)
    watched = WatchedGateway(inner)
    person = a_recipient(phone_e164="+66810000001")
    for _ in range(3 * RECIPIENTS_MAX):
        await watched.send(a_delivery(user_id=person.user_id), person)
    assert watched.problem() is None
    for number in range(RECIPIENTS_MAX):
        person = a_recipient(phone_e164=f"+6681000001{number}")
        await watched.send(a_delivery(user_id=person.user_id), person)
    assert watched.problem() is not None


async def test_a_persons_code_and_mails_are_one_recipient():
    """Three mistyped sign-ups: each has a code on its way, and a welcome."""
    inner = FakeGateway(AWAY)
    watched = WatchedGateway(inner)
    inner.outcome = Refused(min(REFUSALS_OF_RECIPIENT))
    for number in range(3):
        person = a_recipient(email=f"{number}@example.com")
        assert await watched.send(a_code(f"{number}@Example.com"), None) == inner.outcome
        assert await watched.send(a_delivery(user_id=person.user_id), person) == inner.outcome
    assert watched.problem() is None


async def test_people_without_an_address_are_no_problem_of_the_channel(delivery):
    inner = FakeGateway(AWAY)
    watched = WatchedGateway(inner)
    inner.outcome = Refused("notification.recipient.no_email")
    for number in range(3 * RECIPIENTS_MAX):
        assert await watched.send(to(delivery, number), None) == inner.outcome
    assert watched.problem() is None


async def test_a_channel_that_leaves_sends_unanswered_is_told_before_their_time_is_over(delivery):
    class Silent(FakeGateway):
        async def send(self, *_):
            await asyncio.Event().wait()

    watched = WatchedGateway(Silent(), slow_s=0.05)

    def send_to(*addresses):
        return [asyncio.create_task(watched.send(to(delivery, each), None)) for each in addresses]

    sending = send_to(*range(RECIPIENTS_MAX - 1), *["slow"] * RECIPIENTS_MAX)
    await asyncio.sleep(0)
    assert watched.problem() is None
    await asyncio.sleep(0.1)
    assert watched.problem() == f"sends to {RECIPIENTS_MAX} recipients have no answer for 0.05 s"
    sending[0].cancel()  # what is left is one recipient too few, however many mails they have on their way
    await asyncio.sleep(0)
    assert watched.problem() is None
    for each in sending:
        each.cancel()
    await asyncio.gather(*sending, return_exceptions=True)
