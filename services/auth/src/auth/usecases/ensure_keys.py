"""Keep one key signing and the next one published."""

from __future__ import annotations

from auth.domain import signing_key
from auth.domain.signing_key import SigningKey
from auth.usecases.ports import Tx


async def ensure_keys(tx: Tx) -> list[SigningKey]:
    """Make the first key where there is none and a successor where none waits; drop what no verifier needs any more."""
    await tx.signing_keys.lock()
    now = tx.now
    await tx.signing_keys.purge(now)
    keys = await tx.signing_keys.all()
    if not keys:
        keys = [await tx.signing_keys.add(signs_from=now, now=now)]
    if signing_key.successor(keys, now) is None:
        present = signing_key.signing(keys, now)
        starts = signing_key.planned_start(present, now)
        await tx.signing_keys.add(signs_from=starts, now=now)
        await tx.signing_keys.reschedule(present.kid, published_until=signing_key.published_until(starts))
    return await tx.signing_keys.all()
