"""Verifies access tokens: ES256, type ``at+jwt``, a known key, our issuer and audience, in time, not revoked.

Invariant: the header chooses among our keys by ``kid`` and decides nothing else; no key is ever taken from a token.
A verified token is remembered until it expires, so that its next request costs a dictionary look-up; expiry and
revocation are checked each time.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from chassis.ids import parse_uuid
from chassis.tokens.errors import TokenExpiredError, TokenInvalidError, TokenRevokedError
from chassis.tokens.keys import FetchJwks, KeySet, http_fetch
from chassis.tokens.principal import Principal
from chassis.tokens.revocations import Revocations
from kernel.country import Country

TOKEN_CHARS_MAX: Final = 4096
CLOCK_SKEW_S: Final = 10.0
_REMEMBERED_MAX: Final = 10_000
_ROLES_MAX: Final = 32
_HEADER_NAMES: Final = {"alg", "typ", "kid"}
_registry: Final = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)


class TokenVerifier:
    """Turns a token into a ``Principal``, or raises why not."""

    def __init__(
        self, jwks_url: str, issuer: str, audience: str, revocations: Revocations, *, fetch: FetchJwks | None = None
    ) -> None:
        self._issuer, self._audience = issuer, audience
        self._revocations = revocations
        self._remembered: dict[str, tuple[Principal, float]] = {}
        self._keys = KeySet(fetch or http_fetch(jwks_url), on_removed=self._remembered.clear)

    def recall(self, token: str) -> Principal | None:
        """The principal of a token that was verified before and still holds; None sends it to ``verify``."""
        found = self._remembered.get(token)
        if found is None or time.time() >= found[1] or self._revocations.is_revoked(found[0].session_id):
            return None
        return found[0]

    async def verify(self, token: str) -> Principal:
        """Raises ``TokenInvalidError``, ``TokenExpiredError``, ``TokenRevokedError`` or ``KeysUnavailableError``."""
        found = self._remembered.get(token)
        if found is None:
            found = await self._verify_anew(token)
            self._remember(token, found)
        principal, expires_unix_s = found
        if time.time() >= expires_unix_s:
            self._remembered.pop(token, None)
            raise TokenExpiredError("the access token has expired; refresh it")
        if self._revocations.is_revoked(principal.session_id):
            raise TokenRevokedError("the session of this token was signed out")
        return principal

    async def _verify_anew(self, token: str) -> tuple[Principal, float]:
        kid = _kid_of(token)
        key = await self._keys.get(kid)
        if key is None:
            raise TokenInvalidError("the token is signed with a key that is not known")
        try:
            signed = jws.deserialize_compact(token.encode(), key, registry=_registry)
        except (JoseError, ValueError, TypeError):
            raise TokenInvalidError("the signature does not match") from None
        claims = _json_object(signed.payload, "claims")
        self._check_addressed(claims)
        return _principal(claims)

    def _check_addressed(self, claims: Mapping[str, Any]) -> None:
        if claims.get("iss") != self._issuer:
            raise TokenInvalidError("the token comes from another issuer")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if self._audience not in audiences:
            raise TokenInvalidError("the token is meant for another audience")
        now = time.time()
        expires = _seconds(claims, "exp")
        for name in ("nbf", "iat"):
            if name in claims and _seconds(claims, name) > now + CLOCK_SKEW_S:
                raise TokenInvalidError("the token is not valid yet")
        if now >= expires:
            raise TokenExpiredError("the access token has expired; refresh it")

    def _remember(self, token: str, found: tuple[Principal, float]) -> None:
        if len(self._remembered) >= _REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[token] = found


def _kid_of(token: str) -> str:
    if len(token) > TOKEN_CHARS_MAX or not token.isascii() or token.count(".") != 2:
        raise TokenInvalidError("the token is not a compact JWS")
    segments = token.split(".")
    if not all(segments):
        raise TokenInvalidError("the token is not a compact JWS")
    header = _json_object(_decode(segments[0]), "header")
    if header.get("alg") != "ES256":
        raise TokenInvalidError("the token is not signed with ES256")
    if not header.keys() <= _HEADER_NAMES:
        raise TokenInvalidError("the token's header has parameters that are not accepted")
    kind, kid = header.get("typ"), header.get("kid")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") != "at+jwt":
        raise TokenInvalidError("the token is not an access token")
    if not isinstance(kid, str) or not 0 < len(kid) <= 128:
        raise TokenInvalidError("the token does not name its key")
    return kid


def _decode(segment: str) -> bytes:
    try:
        return base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise TokenInvalidError("the token is not base64url") from None


def _json_object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise TokenInvalidError(f"the token's {what} is not JSON") from None
    if not isinstance(value, dict):
        raise TokenInvalidError(f"the token's {what} is not an object")
    return value


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenInvalidError(f"the claim {name} is not a time")
    return float(value)


def _principal(claims: Mapping[str, Any]) -> tuple[Principal, float]:
    roles, kyc_tier, token_id = claims.get("roles", []), claims.get("kyc", 1), claims.get("jti")
    if not isinstance(roles, list) or len(roles) > _ROLES_MAX or not all(isinstance(role, str) for role in roles):
        raise TokenInvalidError("the claim roles is not a list of names")
    if isinstance(kyc_tier, bool) or kyc_tier not in {1, 2, 3}:
        raise TokenInvalidError("the claim kyc is not a tier")
    if not isinstance(token_id, str) or not token_id:
        raise TokenInvalidError("the claim jti is missing")
    access_epoch = claims.get("access_epoch")
    if access_epoch is not None and (type(access_epoch) is not int or not 0 <= access_epoch < 1 << 31):
        raise TokenInvalidError("the claim access_epoch is not a count")
    expires = _seconds(claims, "exp")
    try:
        principal = Principal(
            user_id=parse_uuid(claims["sub"]),
            session_id=parse_uuid(claims["sid"]),
            country=Country(claims["country"]),
            kyc_tier=int(kyc_tier),
            roles=frozenset(roles),
            access_epoch=access_epoch,
            token_id=token_id,
            expires_at=datetime.fromtimestamp(expires, UTC),
        )
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError, OSError):
        raise TokenInvalidError("a claim is missing or malformed") from None
    return principal, expires
