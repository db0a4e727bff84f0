"""Access tokens: the true one is let in; keys rotate; auth being away does not lock anybody out."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from chassis.tokens import TokenExpiredError, TokenInvalidError, TokenRevokedError, TokenVerifier, keys
from kernel.country import Country
from kernel.errors import DomainError
from testkit.forged import forged_tokens, forgeries
from testkit.issuer import TokenIssuer


class Revoked:
    def __init__(self) -> None:
        self.sessions: set[UUID] = set()

    def is_revoked(self, session_id: UUID) -> bool:
        return session_id in self.sessions


def verifier_of(issuer: TokenIssuer, revoked: Revoked | None = None, fetch: Any = None) -> TokenVerifier:
    return TokenVerifier("", issuer.issuer, issuer.audience, revoked or Revoked(), fetch=fetch or issuer.fetch)  # type: ignore[arg-type]


async def test_a_true_token_says_who_is_calling(issuer: TokenIssuer) -> None:
    user_id, session_id, before = uuid.uuid4(), uuid.uuid4(), time.time()
    said = {"roles": ("user", "ops"), "country": Country.VN, "kyc_tier": 2, "access_epoch": 3}
    principal = await verifier_of(issuer).verify(issuer.token_for(user_id, session_id=session_id, **said))
    assert (principal.user_id, principal.session_id) == (user_id, session_id)
    assert (principal.country, principal.kyc_tier, principal.roles) == (Country.VN, 2, frozenset({"user", "ops"}))
    assert principal.access_epoch == 3
    assert before + 900 - 3 <= principal.expires_at.timestamp() <= time.time() + 900 + 3


async def test_a_token_of_before_there_were_epochs_says_none(issuer: TokenIssuer) -> None:
    claims = issuer.claims_for(uuid.uuid4(), access_epoch=3)
    del claims["access_epoch"]
    assert (await verifier_of(issuer).verify(issuer.sign(claims))).access_epoch is None


@pytest.mark.parametrize("change", [{"aud": ["x", "sampan"]}, {"more": {"x": 1}}])
async def test_what_is_allowed_to_differ(issuer: TokenIssuer, change: dict[str, Any]) -> None:
    await verifier_of(issuer).verify(issuer.sign({**issuer.claims_for(uuid.uuid4()), **change}))


async def test_a_fraction_of_a_second_is_allowed(issuer: TokenIssuer) -> None:
    await verifier_of(issuer).verify(issuer.sign({**issuer.claims_for(uuid.uuid4()), "exp": time.time() + 60.5}))


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
async def test_the_type_in_any_spelling(issuer: TokenIssuer, typ: str) -> None:
    await verifier_of(issuer).verify(issuer.sign(issuer.claims_for(uuid.uuid4()), {**issuer.header(), "typ": typ}))


async def test_every_forgery_is_refused(issuer: TokenIssuer) -> None:
    verifier = verifier_of(issuer)
    user_id = uuid.uuid4()
    await verifier.verify(issuer.token_for(user_id))
    made = forgeries(issuer, user_id)
    assert len(made) >= 100
    for name, token in made.items():
        with pytest.raises((TokenInvalidError, TokenExpiredError)):
            pytest.fail(f"accepted: {name} {await verifier.verify(token)}")


async def test_forgeries_from_outside_are_sixty_and_refused(issuer: TokenIssuer) -> None:
    verifier = verifier_of(issuer)
    made = forged_tokens(issuer.token_for(uuid.uuid4()), issuer.jwks())
    assert len(made) >= 60
    for name, token in made.items():
        with pytest.raises(DomainError):
            pytest.fail(f"accepted: {name} {await verifier.verify(token)}")


async def test_negative_control_the_material_of_the_forgeries_is_good(issuer: TokenIssuer) -> None:
    """The forgers' header, claims and signer give a token that is accepted when nothing is changed."""
    claims = issuer.claims_for(uuid.uuid4(), roles=("user", "ops", "admin"))
    await verifier_of(issuer).verify(issuer.sign_with(issuer.header(), claims))


async def test_a_remembered_token_still_expires_and_is_still_revoked(
    issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoked = Revoked()
    verifier = verifier_of(issuer, revoked)
    session_id = uuid.uuid4()
    lasting = issuer.token_for(uuid.uuid4(), session_id=session_id)
    short = issuer.sign({**issuer.claims_for(uuid.uuid4()), "exp": time.time() + 60})
    for token in (lasting, short):
        await verifier.verify(token)
        assert verifier.recall(token) is not None
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert verifier.recall(short) is None
    assert verifier.recall(lasting) is not None
    with pytest.raises(TokenExpiredError):
        await verifier.verify(short)
    revoked.sessions.add(session_id)
    assert verifier.recall(lasting) is None
    with pytest.raises(TokenRevokedError):
        await verifier.verify(lasting)


async def test_a_new_key_is_fetched_when_first_seen(issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "UNKNOWN_KID_PAUSE_S", 0.0)
    verifier = verifier_of(issuer)
    await verifier.verify(issuer.token_for(uuid.uuid4()))
    issuer.rotate()
    await verifier.verify(issuer.token_for(uuid.uuid4()))
    assert issuer.fetches == 2


async def test_a_withdrawn_key_takes_its_remembered_tokens_along(
    issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "UNKNOWN_KID_PAUSE_S", 0.0)
    verifier = verifier_of(issuer)
    old = issuer.token_for(uuid.uuid4())
    await verifier.verify(old)
    issuer.rotate()
    await verifier.verify(issuer.token_for(uuid.uuid4()))
    assert verifier.recall(old) is None
    with pytest.raises(TokenInvalidError):
        await verifier.verify(old)


async def test_unknown_kids_do_not_become_a_storm_of_fetches(
    issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "UNKNOWN_KID_PAUSE_S", 60.0)
    verifier = verifier_of(issuer)
    await verifier.verify(issuer.token_for(uuid.uuid4()))
    for number in range(50):
        forged = issuer.sign(issuer.claims_for(uuid.uuid4()), {**issuer.header(), "kid": f"kid-{number}"})
        with pytest.raises(TokenInvalidError):
            await verifier.verify(forged)
    assert issuer.fetches == 1


async def test_auth_being_away(issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any key nobody is judged; with keys known, everybody goes on."""
    monkeypatch.setattr(keys, "UNKNOWN_KID_PAUSE_S", 0.0)
    monkeypatch.setattr(keys, "REFRESH_S", 0.0)
    away = True

    async def fetch() -> Mapping[str, Any]:
        if away:
            raise aiohttp.ClientConnectionError("away")
        return issuer.jwks()

    verifier = verifier_of(issuer, fetch=fetch)
    with pytest.raises(keys.KeysUnavailableError):
        await verifier.verify(issuer.token_for(uuid.uuid4()))
    away = False
    await verifier.verify(issuer.token_for(uuid.uuid4()))
    away = True
    for _ in range(3):
        await verifier.verify(issuer.token_for(uuid.uuid4()))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"keys": None},
        {"keys": [None, 1, "x"]},
        {"keys": [{"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"}]},
        {"keys": [{"kty": "oct", "kid": "k", "k": "AAAA"}]},
        {"keys": [{"kty": "EC", "crv": "P-384", "kid": "k", "x": "AA", "y": "AA"}]},
        {"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": "AA", "y": "AA"}]},
        {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]},
    ],
)
async def test_a_jwks_of_nonsense_lets_nobody_in(issuer: TokenIssuer, document: dict[str, Any]) -> None:
    async def fetch() -> Mapping[str, Any]:
        return document

    token = issuer.sign(issuer.claims_for(uuid.uuid4()), {**issuer.header(), "kid": "k"})
    with pytest.raises((TokenInvalidError, keys.KeysUnavailableError)):
        await verifier_of(issuer, fetch=fetch).verify(token)


async def test_the_jwks_comes_over_http() -> None:
    async with TokenIssuer.serve() as issuer:
        verifier = TokenVerifier(issuer.jwks_url, issuer.issuer, issuer.audience, Revoked())  # type: ignore[arg-type]
        await verifier.verify(issuer.token_for(uuid.uuid4()))
        assert issuer.fetches == 1
