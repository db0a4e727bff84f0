"""The life of signing keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from auth.domain import signing_key
from auth.domain.session import ACCESS_TOKEN_LIFETIME
from auth.domain.signing_key import LEAD, PERIOD, NoSigningKeyError, SigningKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def key(kid: str, signs_from: datetime, *, created_at: datetime = NOW, until: datetime | None = None) -> SigningKey:
    return SigningKey(kid=kid, public_jwk={}, created_at=created_at, signs_from=signs_from, published_until=until)


def test_newest_ready_key_signs() -> None:
    keys = [key("a", NOW - timedelta(days=2)), key("b", NOW), key("c", NOW + timedelta(seconds=1))]
    assert signing_key.signing(keys, NOW).kid == "b"


def test_no_key_cannot_sign() -> None:
    with pytest.raises(NoSigningKeyError):
        signing_key.signing([key("c", NOW + timedelta(seconds=1))], NOW)


def test_waiting_key_is_published_before_it_signs() -> None:
    keys = [key("a", NOW), key("b", NOW + PERIOD)]
    assert [each.kid for each in signing_key.published(keys, NOW)] == ["a", "b"]


def test_auth_10_a_key_waits_for_its_lead() -> None:
    young = key("b", NOW + PERIOD, created_at=NOW)
    assert signing_key.earliest_start(young, NOW) == NOW + LEAD
    later = NOW + 2 * LEAD
    assert signing_key.earliest_start(young, later) == later


def test_auth_11_a_past_key_outlives_its_last_token() -> None:
    takeover = NOW
    until = signing_key.published_until(takeover)
    last_token_dies = takeover + ACCESS_TOKEN_LIFETIME
    keys = [key("a", NOW - PERIOD, until=until), key("b", takeover)]
    assert "a" in [each.kid for each in signing_key.published(keys, last_token_dies)]
    assert "a" not in [each.kid for each in signing_key.published(keys, until)]


def test_planned_start_never_skips_the_lead() -> None:
    old = key("a", NOW - 10 * PERIOD)
    assert signing_key.planned_start(old, NOW) == NOW + LEAD
