"""Which acts end a code, by the versions of its person's tokens."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from auth.domain.ids import OtpId, UserId
from auth.domain.otp import ENDINGS_UNPROVED_MAX, Channel, Otp, OtpPurpose


def code(token_version: int | None) -> Otp:
    return Otp(
        id=OtpId(uuid.uuid4()),
        purpose=OtpPurpose.SIGN_IN,
        channel=Channel.EMAIL,
        destination_hash=b"",
        user_id=UserId(uuid.uuid4()),
        token_version=token_version,
        code_hash=b"",
        expires_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("proved", [True, False])
def test_without_an_act_a_code_holds(*, proved: bool) -> None:
    assert code(2).holds_for(2, proved=proved)
    assert code(None).holds_for(2, proved=proved)


@pytest.mark.parametrize("now", [1, ENDINGS_UNPROVED_MAX, ENDINGS_UNPROVED_MAX + 1, 100])
def test_once_the_address_was_proved_every_act_ends_it(now: int) -> None:
    assert not code(0).holds_for(now, proved=True)


@pytest.mark.parametrize("acts", [1, ENDINGS_UNPROVED_MAX, ENDINGS_UNPROVED_MAX + 1, 100])
@pytest.mark.parametrize(
    ("issued", "holds"), [(0, False), (ENDINGS_UNPROVED_MAX - 1, False), (ENDINGS_UNPROVED_MAX, True), (7, True)]
)
def test_before_that_only_the_first_few_do(issued: int, acts: int, *, holds: bool) -> None:
    """And what they ended stays ended, whatever comes after."""
    assert code(issued).holds_for(issued + acts, proved=False) == holds
