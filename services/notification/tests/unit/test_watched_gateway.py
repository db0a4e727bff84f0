"""A channel that is down is told after some failures in a row, and works again with the first that is taken."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from kernel.ids import uuid7
from notification.adapters.watched_gateway import FAILURES_MAX, WatchedGateway
from notification.domain.delivery import REFUSALS_OF_RECIPIENT, Refused, Sent, Unknown
from notification_testing.builders import a_code
from notification_testing.fakes import FakeGateway

AWAY = Unknown("notification.email.unreachable")


@pytest.fixture
def delivery():
    return a_code("nok@example.com")


async def test_failures_in_a_row_are_told_until_one_is_taken(delivery):
    inner = FakeGateway(AWAY)
    watched = WatchedGateway(inner)
    for _ in range(FAILURES_MAX):
        assert watched.problem() is None
        assert await watched.send(delivery, None) == AWAY
    assert watched.problem() == f"{FAILURES_MAX} sends in a row failed: notification.email.unreachable"
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
    for _ in range(FAILURES_MAX):
        with pytest.raises(OSError, match="gone"):
            await watched.send(delivery, None)
    assert watched.problem() == f"{FAILURES_MAX} sends in a row failed: OSError"


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
    for number in range(FAILURES_MAX - 1):
        assert await watched.send(to(delivery, number), None) == Refused(code)
        assert watched.problem() is None
    assert await watched.send(to(delivery, "last"), None) == Unknown(code)
    assert watched.problem() == f"{FAILURES_MAX} recipients in a row were refused: {code}"
    inner.outcome = Sent("<1@sampan.example>")
    await watched.send(to(delivery, "good"), None)
    assert watched.problem() is None
    inner.outcome = Refused(code)
    assert await watched.send(to(delivery, "bad"), None) == Refused(code)


@pytest.mark.parametrize("outcome", [make(code) for code in REFUSALS_OF_RECIPIENT for make in (Refused, Unknown)])
async def test_one_bad_recipient_is_never_the_channels_problem(delivery, outcome):
    inner = FakeGateway(AWAY)
    watched = WatchedGateway(inner)
    inner.outcome = outcome
    for _ in range(3 * FAILURES_MAX):
        assert await watched.send(to(delivery, "bad"), None) == outcome
    assert watched.problem() is None


async def test_people_without_an_address_are_no_problem_of_the_channel(delivery):
    inner = FakeGateway(AWAY)
    watched = WatchedGateway(inner)
    inner.outcome = Refused("notification.recipient.no_email")
    for number in range(3 * FAILURES_MAX):
        assert await watched.send(to(delivery, number), None) == inner.outcome
    assert watched.problem() is None


async def test_a_channel_that_leaves_sends_unanswered_is_told_before_their_time_is_over(delivery):
    class Silent(FakeGateway):
        async def send(self, *_):
            await asyncio.Event().wait()

    watched = WatchedGateway(Silent(), slow_s=0.05)
    sending = [asyncio.create_task(watched.send(to(delivery, number), None)) for number in range(FAILURES_MAX)]
    await asyncio.sleep(0)
    assert watched.problem() is None
    await asyncio.sleep(0.1)
    assert watched.problem() == f"{FAILURES_MAX} sends have no answer for 0.05 s"
    for each in sending:
        each.cancel()
    await asyncio.gather(*sending, return_exceptions=True)
