"""The hash chain: the same successor for everybody, thieves told from losers of a race and from forgers."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.domain.ids import SessionId
from auth.domain.refresh_token import GRACE, Chain, RefreshToken, Use, head, judge, parse
from auth.domain.session import RefreshTokenInvalidError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = b"k" * 32


def fresh() -> RefreshToken:
    return RefreshToken(SessionId(uuid.uuid4()), 0, os.urandom(32))


def chain_after(token: RefreshToken, steps: int, *, ago_s: float, before_s: float = 1e6) -> Chain:
    for _ in range(steps):
        token = token.successor(KEY)
    return Chain(
        generation=token.generation,
        secret_hash=token.hash(),
        rotated_at=NOW - timedelta(seconds=ago_s),
        rotated_before_at=NOW - timedelta(seconds=before_s),
    )


def test_text_round_trip() -> None:
    token = fresh().successor(KEY)
    assert parse(token.text()) == token


@given(st.text(max_size=120))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(RefreshTokenInvalidError):
        parse(text)


def test_every_changed_character_is_refused_or_forged() -> None:
    token = fresh()
    text, chain = token.text(), chain_after(token, 1, ago_s=1)
    for place in range(len(text)):
        other = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        try:
            changed = parse(other)
        except RefreshTokenInvalidError:
            continue
        same_secret = changed.secret == token.secret and changed.generation == token.generation
        assert changed.session_id != token.session_id or not same_secret
        assert judge(changed, chain, KEY, NOW) is Use.FORGED


def test_successor_is_the_same_for_all_and_needs_the_key() -> None:
    token = fresh()
    assert token.successor(KEY) == token.successor(KEY)
    assert token.successor(KEY).secret != token.successor(b"x" * 32).secret


def test_loser_of_a_race_gets_the_head() -> None:
    token = fresh()
    chain = chain_after(token, 1, ago_s=GRACE.total_seconds())
    assert judge(token, chain, KEY, NOW) is Use.RACE
    assert head(token, chain, KEY) == token.successor(KEY)


def test_loser_overtaken_by_the_winners_next_refresh_is_no_thief() -> None:
    token = fresh()
    chain = chain_after(token, 2, ago_s=0.1, before_s=0.3)
    assert judge(token, chain, KEY, NOW) is Use.RACE
    assert head(token, chain, KEY).hash() == chain.secret_hash


@pytest.mark.parametrize(
    ("steps", "ago_s", "before_s"),
    [(1, 10.001, 1e6), (2, 0.1, 10.001), (3, 0.1, 0.1), (500, 0.1, 0.1)],
)
def test_reuse(steps: int, ago_s: float, before_s: float) -> None:
    token = fresh()
    assert judge(token, chain_after(token, steps, ago_s=ago_s, before_s=before_s), KEY, NOW) is Use.REUSE


def test_a_guessed_secret_of_a_known_session_ends_nothing() -> None:
    token = fresh()
    forged = RefreshToken(token.session_id, 0, os.urandom(32))
    assert judge(forged, chain_after(token, 5, ago_s=100), KEY, NOW) is Use.FORGED


def test_a_token_of_the_future_is_forged() -> None:
    token = fresh()
    ahead = RefreshToken(token.session_id, 2**32 - 1, token.secret)
    assert judge(ahead, chain_after(token, 1, ago_s=1), KEY, NOW) is Use.FORGED


def test_repr_keeps_the_secret() -> None:
    token = fresh()
    assert token.secret.hex() not in repr(token)
    assert token.text() not in repr(token)
