"""A stand-in for auth: a real ES256 key pair, its JWKS over HTTP, and tokens signed with it."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import UUID

import orjson
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from kernel.country import Country

_SIDE_BYTES = 32


class TokenIssuer:
    """Signs access tokens as auth does. ``jwks_url`` is set while it serves."""

    def __init__(self, *, issuer: str = "sampan-auth", audience: str = "sampan", kid: str | None = None) -> None:
        self.issuer, self.audience = issuer, audience
        self.kid = kid or uuid.uuid4().hex
        self.private_key = ec.generate_private_key(ec.SECP256R1())
        self.jwks_url = ""
        self.fetches = 0

    @classmethod
    @asynccontextmanager
    async def serve(cls, **options: Any) -> AsyncIterator[Self]:
        """An issuer whose JWKS is served on a free port of this machine."""
        issuer = cls(**options)

        async def jwks(_: web.Request) -> web.Response:
            issuer.fetches += 1
            return web.json_response(issuer.jwks())

        app = web.Application()
        app.router.add_get("/.well-known/jwks.json", jwks)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            issuer.jwks_url = f"http://127.0.0.1:{runner.addresses[0][1]}/.well-known/jwks.json"
            yield issuer
        finally:
            await runner.cleanup()

    async def fetch(self) -> Mapping[str, Any]:
        """The JWKS without a server, for ``TokenVerifier(fetch=issuer.fetch)``."""
        self.fetches += 1
        return self.jwks()

    def jwks(self) -> dict[str, Any]:
        """The public key as a JWKS."""
        return {"keys": [public_jwk(self.private_key, self.kid)]}

    def rotate(self) -> None:
        """A new key under a new id; the old one is gone from the JWKS."""
        self.kid, self.private_key = uuid.uuid4().hex, ec.generate_private_key(ec.SECP256R1())

    def claims_for(
        self,
        user_id: UUID,
        *,
        roles: Iterable[str] = ("user",),
        session_id: UUID | None = None,
        country: Country = Country.TH,
        kyc_tier: int = 1,
        access_epoch: int | None = 0,
        lifetime_s: float = 900,
    ) -> dict[str, Any]:
        """What a token says."""
        now = int(time.time())
        return {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(user_id),
            "sid": str(session_id or uuid.uuid4()),
            "jti": uuid.uuid4().hex,
            "iat": now,
            "nbf": now,
            "exp": now + lifetime_s,
            "country": country.value,
            "kyc": kyc_tier,
            "roles": list(roles),
            "access_epoch": access_epoch,
        }

    def token_for(self, user_id: UUID, **claims: Any) -> str:
        """A true token. Takes what ``claims_for`` takes."""
        return self.sign(self.claims_for(user_id, **claims))

    def header(self) -> dict[str, Any]:
        return {"alg": "ES256", "typ": "at+jwt", "kid": self.kid}

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        """Any claims under any header, signed with the true key."""
        return sign_es256(self.private_key, header if header is not None else self.header(), claims)

    def sign_with(self, header: Mapping[str, Any], claims: Any) -> str:
        """As ``sign``, header first, and any payload at all."""
        return sign_es256(self.private_key, header, claims)


def public_jwk(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, Any]:
    """The public half as a JWK."""
    numbers = key.public_key().public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "alg": "ES256",
        "use": "sig",
        "kid": kid,
        "x": b64(numbers.x.to_bytes(_SIDE_BYTES)),
        "y": b64(numbers.y.to_bytes(_SIDE_BYTES)),
    }


def sign_es256(key: ec.EllipticCurvePrivateKey, header: Mapping[str, Any], claims: Any) -> str:
    """A compact JWS with whatever header and payload are given."""
    payload = claims if isinstance(claims, bytes) else orjson.dumps(claims)
    signed = f"{b64(orjson.dumps(header))}.{b64(payload)}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{b64(r.to_bytes(_SIDE_BYTES) + s.to_bytes(_SIDE_BYTES))}"


def b64(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
