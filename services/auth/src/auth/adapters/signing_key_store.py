"""Signing keys in ``signing_key``: the public half in the open, the private half sealed under its own id."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key
from joserfc.jwk import ECKey

from auth.adapters.keyring_gateway import Keyring
from auth.domain.signing_key import SigningKey
from chassis.postgres import Connection
from kernel.rows import rows_affected

log = structlog.get_logger(__name__)

_LOCK: Final = """
SELECT pg_advisory_xact_lock(hashtextextended('auth.signing_key', 0))
"""
_COLUMNS: Final = "kid, public_jwk, created_at, signs_from, published_until"
_ALL: Final = f"""
SELECT {_COLUMNS} FROM signing_key ORDER BY signs_from
"""
_INSERT: Final = """
INSERT INTO signing_key (kid, public_jwk, private_sealed, created_at, signs_from) VALUES ($1, $2, $3, $4, $5)
"""
_PURGE: Final = """
DELETE FROM signing_key WHERE published_until <= $1
"""
_PRIVATE: Final = """
SELECT kid, private_sealed FROM signing_key
"""
_RESCHEDULE: Final = """
UPDATE signing_key SET signs_from = coalesce($2, signs_from), published_until = coalesce($3, published_until)
WHERE kid = $1
"""


class SigningKeyStore:
    """Bound to one transaction."""

    def __init__(self, conn: Connection, keyring: Keyring) -> None:
        self._conn = conn
        self._keyring = keyring

    async def lock(self) -> None:
        await self._conn.execute(_LOCK)

    async def all(self) -> list[SigningKey]:
        rows = await self._conn.fetch(_ALL)
        return [SigningKey(**row) for row in rows]

    async def add(self, *, signs_from: datetime, now: datetime) -> SigningKey:
        """Make a P-256 key; its id is the RFC 7638 thumbprint."""
        private = ec.generate_private_key(ec.SECP256R1())
        der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        jwk = ECKey.import_key(der)
        kid = jwk.thumbprint()
        public = {str(name): str(value) for name, value in jwk.as_dict(private=False).items() if name != "kid"}
        public |= {"kid": kid, "use": "sig", "alg": "ES256"}
        key = SigningKey(kid=kid, public_jwk=public, created_at=now, signs_from=signs_from)
        await self._conn.execute(_INSERT, kid, public, self._keyring.seal(der, name=kid), now, signs_from)
        return key

    async def reschedule(
        self, kid: str, *, signs_from: datetime | None = None, published_until: datetime | None = None
    ) -> None:
        await self._conn.execute(_RESCHEDULE, kid, signs_from, published_until)

    async def purge(self, now: datetime) -> int:
        return rows_affected(await self._conn.execute(_PURGE, now))

    async def private_keys(self) -> dict[str, ec.EllipticCurvePrivateKey]:
        """Private keys by id, unsealed. One that does not open is logged and left out; the others go on signing."""
        found = {}
        for row in await self._conn.fetch(_PRIVATE):
            try:
                found[row["kid"]] = self._unsealed(row["kid"], row["private_sealed"])
            except (InvalidTag, ValueError, TypeError) as error:
                log.error("signing_key_unreadable", kid=row["kid"], error=type(error).__name__)  # noqa: TRY400 -- no trace near keys
        return found

    def _unsealed(self, kid: str, sealed: bytes) -> ec.EllipticCurvePrivateKey:
        key = load_der_private_key(self._keyring.unseal(sealed, name=kid), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"signing key {kid} is not an EC key")
        return key
