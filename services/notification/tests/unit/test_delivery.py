"""What becomes of a delivery after an attempt."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notification.domain.delivery import (
    ATTEMPTS_MAX,
    BACKOFF,
    LEASE_S,
    MAIL_ANSWER_S,
    RENEW_S,
    SEND_S,
    DeliveryStatus,
    Ended,
    FailureCode,
    Refused,
    Sent,
    TryAgain,
    Unknown,
    after_attempt,
    refusal_before_sending,
)
from notification.domain.notification import Channel
from notification_testing.builders import a_delivery

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def delivery(*, attempts=1, lives=timedelta(days=1)):
    return a_delivery(created_at=NOW, expires_at=NOW + lives, attempts=attempts)


def test_taken_is_sent():
    assert after_attempt(delivery(), Sent("m-1"), now=NOW, jitter=0.5) == Ended(DeliveryStatus.SENT, "m-1")


def test_refused_is_final_on_the_first_attempt():
    result = after_attempt(delivery(), Refused("x.y.z"), now=NOW, jitter=0.5)
    assert result == Ended(DeliveryStatus.FAILED, failure_code="x.y.z")


@given(st.integers(1, ATTEMPTS_MAX - 1), st.floats(0, 1, exclude_max=True))
def test_unknown_is_tried_again_later_and_never_too_late(attempts, jitter):
    result = after_attempt(delivery(attempts=attempts), Unknown("x"), now=NOW, jitter=jitter)
    assert isinstance(result, TryAgain)
    assert timedelta(seconds=0.5) <= result.at - NOW <= timedelta(seconds=BACKOFF.cap_s)


def test_the_providers_wish_is_honoured():
    result = after_attempt(delivery(), Unknown("x", retry_after_s=60), now=NOW, jitter=0)
    assert result == TryAgain(NOW + timedelta(seconds=60), "x")


@pytest.mark.parametrize("wish", [3_600.0, 1e30])
def test_a_wish_beyond_the_longest_pause_ends_nothing(wish):
    result = after_attempt(delivery(), Unknown("x", retry_after_s=wish), now=NOW, jitter=0)
    assert result == TryAgain(NOW + timedelta(seconds=BACKOFF.cap_s), "x")


@pytest.mark.parametrize("tired", [delivery(attempts=ATTEMPTS_MAX), delivery(lives=timedelta(milliseconds=100))])
def test_unknown_ends_as_failed_when_attempts_or_time_are_used_up(tired):
    result = after_attempt(tired, Unknown("x"), now=NOW, jitter=0.9)
    assert result == Ended(DeliveryStatus.FAILED, failure_code="x")


@pytest.mark.parametrize(
    ("taken_up", "code"),
    [
        (delivery(), None),
        (delivery(attempts=ATTEMPTS_MAX), None),
        (delivery(attempts=ATTEMPTS_MAX + 1), FailureCode.ATTEMPTS_USED_UP),
        (delivery(lives=timedelta()), FailureCode.EXPIRED),
    ],
)
def test_what_senders_died_with_too_often_or_came_too_late_is_not_tried(taken_up, code):
    assert refusal_before_sending(taken_up, NOW) == (Refused(code) if code else None)


def test_a_lease_is_renewed_well_before_it_runs_out():
    """Also when the database is slow twice."""
    assert 3 * RENEW_S <= LEASE_S


def test_a_mail_server_has_the_ten_minutes_that_the_standard_gives_it():
    assert MAIL_ANSWER_S >= 600
    assert SEND_S[Channel.EMAIL] > MAIL_ANSWER_S
