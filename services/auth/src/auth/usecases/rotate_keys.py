"""Keep one key signing and the next one published, and move on when asked or when the period is over."""

from __future__ import annotations

from auth.domain import signing_key
from auth.domain.security_log import Act
from auth.domain.signing_key import SigningKey
from auth.usecases.ports import Tx
from kernel.clock import Clock


async def ensure_keys(tx: Tx, clock: Clock) -> list[SigningKey]:
    """Make the first key where there is none and a successor where none waits; drop what nobody needs."""
    await tx.signing_keys.lock()
    now = clock.now()
    await tx.signing_keys.purge(now)
    keys = await tx.signing_keys.all()
    if not keys:
        keys = [await tx.signing_keys.add(signs_from=now, now=now)]
    if signing_key.successor(keys, now) is None:
        await _add_successor(signing_key.signing(keys, now), tx, clock)
    return await tx.signing_keys.all()


async def rotate_keys(tx: Tx, clock: Clock) -> SigningKey:
    """Let the waiting key sign as early as it may (AUTH-10), and publish another to follow it."""
    now = clock.now()
    keys = await ensure_keys(tx, clock)
    present = signing_key.signing(keys, now)
    waiting = signing_key.successor(keys, now)
    if waiting is None:
        raise signing_key.NoSigningKeyError("No key waits for its turn.")
    starts = signing_key.earliest_start(waiting, now)
    await tx.signing_keys.reschedule(waiting.kid, signs_from=starts)
    await tx.signing_keys.reschedule(present.kid, published_until=signing_key.published_until(starts))
    await tx.audit.write(
        Act.SIGNING_KEY_ROTATED, now=now, detail={"kid": waiting.kid, "signs_from": starts.isoformat()}
    )
    if starts <= now:
        await ensure_keys(tx, clock)
    keys = await tx.signing_keys.all()
    return next(key for key in keys if key.kid == waiting.kid)


async def _add_successor(present: SigningKey, tx: Tx, clock: Clock) -> None:
    now = clock.now()
    starts = signing_key.planned_start(present, now)
    await tx.signing_keys.add(signs_from=starts, now=now)
    await tx.signing_keys.reschedule(present.kid, published_until=signing_key.published_until(starts))
