"""Let the waiting key sign as early as it may (AUTH-10), and publish another to follow it."""

from __future__ import annotations

from auth.domain import signing_key
from auth.domain.security_log import SecurityEvent
from auth.domain.signing_key import SigningKey
from auth.usecases.ensure_keys import ensure_keys
from auth.usecases.ports import Tx


async def rotate_keys(tx: Tx) -> SigningKey:
    """The key that takes over. Raises ``NoSigningKeyError`` when none waits."""
    keys = await ensure_keys(tx)
    now = tx.now
    present = signing_key.signing(keys, now)
    waiting = signing_key.successor(keys, now)
    if waiting is None:
        raise signing_key.NoSigningKeyError("No key waits for its turn.")
    starts = signing_key.earliest_start(waiting, now)
    await tx.signing_keys.reschedule(waiting.kid, signs_from=starts)
    await tx.signing_keys.reschedule(present.kid, published_until=signing_key.published_until(starts))
    await tx.security_log.write(
        SecurityEvent.SIGNING_KEY_ROTATED, detail={"kid": waiting.kid, "signs_from": starts.isoformat()}
    )
    if starts <= now:
        await ensure_keys(tx)
    return next(key for key in await tx.signing_keys.all() if key.kid == waiting.kid)
