"""One attempt: what the gateway says of it, or why it is not asked. Whatever happens is this delivery's outcome."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from kernel.clock import FixedClock
from notification.domain.delivery import (
    ATTEMPTS_MAX,
    DeliveryStatus,
    Ended,
    FailureCode,
    Refused,
    Sent,
    TryAgain,
    Unknown,
)
from notification.usecases.attempt_delivery import AttemptDelivery, attempt_delivery
from notification_testing.builders import a_code, a_delivery, a_recipient
from notification_testing.fakes import FakeGateway

CLOCK = FixedClock()
NOW = CLOCK.now()


def a_mail(**values):
    return a_delivery(**{"created_at": NOW, **values})


async def attempted(delivery, recipient, gateway, *, timeout_s=5.0):
    command = AttemptDelivery(delivery=delivery, recipient=recipient, timeout_s=timeout_s)
    attempted, result = await attempt_delivery(command, gateway, CLOCK)
    assert attempted is delivery
    return result


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (Sent("m-1"), Ended(DeliveryStatus.SENT, provider_message_id="m-1")),
        (Refused("x.y.z"), Ended(DeliveryStatus.FAILED, failure_code="x.y.z")),
        (Unknown("x.y.z", retry_after_s=60), TryAgain(NOW + timedelta(seconds=60), "x.y.z")),
    ],
)
async def test_what_the_gateway_says_is_what_becomes_of_it(outcome, result):
    gateway = FakeGateway(outcome)
    delivery = a_mail()
    assert await attempted(delivery, a_recipient(), gateway) == result
    assert gateway.sent == [delivery]


async def test_a_code_needs_no_recipient():
    gateway = FakeGateway()
    assert (await attempted(a_code("nok@example.com", created_at=NOW), None, gateway)).status is DeliveryStatus.SENT
    assert len(gateway.sent) == 1


@pytest.mark.parametrize(
    ("delivery", "recipient", "code"),
    [
        (a_mail(expires_at=NOW), a_recipient(), FailureCode.EXPIRED),
        (a_code("nok@example.com", created_at=NOW, expires_at=NOW), None, FailureCode.EXPIRED),
        (a_mail(attempts=ATTEMPTS_MAX + 1), a_recipient(), FailureCode.ATTEMPTS_USED_UP),
        (a_mail(), a_recipient(has_ended=True), FailureCode.ACCOUNT_ENDED),
        (a_mail(message_type="order_paid"), a_recipient(email_proved=False), FailureCode.UNPROVED),
    ],
)
async def test_what_is_refused_beforehand_is_final_and_asks_no_gateway(delivery, recipient, code):
    gateway = FakeGateway()
    assert await attempted(delivery, recipient, gateway) == Ended(DeliveryStatus.FAILED, failure_code=code)
    assert gateway.sent == []


async def test_control_the_welcome_mail_goes_to_an_address_that_is_not_proved():
    gateway = FakeGateway()
    await attempted(a_mail(message_type="welcome"), a_recipient(email_proved=False), gateway)
    assert len(gateway.sent) == 1


async def test_who_is_not_known_yet_is_tried_again_and_asks_no_gateway():
    gateway = FakeGateway()
    result = await attempted(a_mail(), None, gateway)
    assert isinstance(result, TryAgain)
    assert result.failure_code == FailureCode.NOT_KNOWN_YET
    assert gateway.sent == []


async def test_a_gateway_that_hangs_is_cut_and_the_delivery_tried_again():
    class Silent(FakeGateway):
        async def send(self, *_):
            await asyncio.Event().wait()

    result = await attempted(a_mail(), a_recipient(), Silent(), timeout_s=0.01)
    assert isinstance(result, TryAgain)
    assert result.failure_code == FailureCode.TIMED_OUT


@pytest.mark.parametrize(
    ("delivery", "gateway"),
    [
        (a_mail(), FakeGateway(UnicodeEncodeError("ascii", "ü", 0, 1, "not in range"))),
        (a_mail(), FakeGateway("yes")),
        (a_mail(message_type="of_tomorrow"), FakeGateway()),
    ],
    ids=["raises", "answers-nonsense", "unknown-type"],
)
async def test_any_fault_is_its_outcome_and_is_in_the_log_with_its_id(delivery, gateway):
    with capture_logs() as lines:
        result = await attempted(delivery, a_recipient(), gateway)
    assert isinstance(result, TryAgain)
    assert result.failure_code == FailureCode.UNEXPECTED_ERROR
    assert [(each["event"], each["delivery_id"]) for each in lines] == [("delivery.failed", str(delivery.delivery_id))]


async def test_who_is_cut_off_is_cut_off():
    with pytest.raises(asyncio.CancelledError):
        await attempted(a_mail(), a_recipient(), FakeGateway(asyncio.CancelledError()))
