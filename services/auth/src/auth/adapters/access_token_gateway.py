"""Access tokens (JWT, ES256, RFC 9068) and the key set that others verify them with.

The keys are a copy of ``signing_key``, taken anew every few seconds. Invariant AUTH-10 makes that safe: a key is
in the table, and so in every copy, long before it signs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

from auth.adapters.signing_key_store import SigningKeyStore
from auth.domain import signing_key
from auth.domain.ids import SessionId
from auth.domain.session import ACCESS_TOKEN_LIFETIME
from auth.domain.signing_key import SigningKey
from auth.domain.user import User

_ALGORITHM: Final = "ES256"


class TokenIssuer:
    """Signs with the key whose time it is."""

    def __init__(self, *, issuer: str, audience: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys: list[SigningKey] = []
        self._private: dict[str, ECKey] = {}

    async def load(self, store: SigningKeyStore) -> None:
        """Take over what the table says now."""
        keys = await store.all()
        private = await store.private_keys()
        self._private = {kid: self._private.get(kid) or ECKey(key, key) for kid, key in private.items()}
        self._keys = keys

    def access_token(self, user: User, session_id: SessionId, now: datetime) -> str:
        key = signing_key.signing([each for each in self._keys if each.kid in self._private], now)
        issued_at = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user.id),
            "sid": str(session_id),
            "country": user.country.value,
            "kyc": user.kyc_tier,
            "roles": sorted(role.value for role in user.roles),
            "access_epoch": user.access_epoch,
            "jti": uuid4().hex,
            "iat": issued_at,
            "exp": issued_at + int(ACCESS_TOKEN_LIFETIME.total_seconds()),
        }
        header = {"alg": _ALGORITHM, "typ": "at+jwt", "kid": key.kid}
        return jwt.encode(header, claims, self._private[key.kid], algorithms=[_ALGORITHM])

    def key_set(self, now: datetime) -> dict[str, list[dict[str, str]]]:
        """The JWK Set: past keys with living tokens, the present one, the next."""
        return {"keys": [key.public_jwk for key in signing_key.published(self._keys, now)]}
