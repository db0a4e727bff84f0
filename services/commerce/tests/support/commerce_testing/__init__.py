"""What commerce's tests share: a signer of tokens that its verifier believes, and ready-made request bodies."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from joserfc import jws
from joserfc.jwk import ECKey

from chassis.tokens import Revocations, TokenVerifier
from kernel.country import Country

_ISSUER, _AUDIENCE, _KID = "sampan-auth", "sampan", "test"


class Tokens:
    """Stands in for auth: signs access tokens with a key of its own."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", {"kid": _KID, "alg": "ES256", "use": "sig"}, private=True)
        self._registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)

    def verifier(self, revocations: Revocations) -> TokenVerifier:
        return TokenVerifier("", _ISSUER, _AUDIENCE, revocations, fetch=self._jwks)

    def token(self, user_id: UUID, *, country: Country = Country.TH, roles: tuple[str, ...] = ()) -> str:
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": str(user_id),
            "sid": str(uuid4()),
            "jti": str(uuid4()),
            "country": country.value,
            "kyc": 1,
            "roles": list(roles),
            "iat": now,
            "exp": now + 900,
        }
        header = {"alg": "ES256", "typ": "at+jwt", "kid": _KID}
        return jws.serialize_compact(header, json.dumps(claims), self._key, registry=self._registry)

    async def _jwks(self) -> Mapping[str, Any]:
        return {"keys": [self._key.as_dict(private=False)]}


def product_body(
    *, price_minor: int = 10_000, currency: str = "THB", on_hand: int = 10, **parts: Any
) -> dict[str, Any]:
    """A product with one variant, in two languages."""
    return {
        "titles": {"en": "Hand-woven silk scarf", "th": "ผ้าพันคอผ้าไหมทอมือ"},
        "variants": [
            {
                "sku": f"S-{uuid4().hex[:12]}",
                "price": {"amount_minor": price_minor, "currency": currency},
                "on_hand": on_hand,
            }
        ],
        **parts,
    }
