"""One-time codes in ``one_time_code``, as hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import asyncpg

from auth.domain.ids import OtpId
from auth.domain.otp import GUESSES_MAX, Channel, Otp, OtpPurpose
from chassis.postgres import OnConnection
from kernel.rows import object_of, rows_affected, values_of

_COLUMNS: Final = "id, purpose, channel, destination_hash, user_id, token_version, code_hash, expires_at"
_INSERT: Final = f"""
INSERT INTO one_time_code ({_COLUMNS}, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_GUESS: Final = f"""
UPDATE one_time_code SET guesses = guesses + 1
WHERE id = $1 AND guesses < {GUESSES_MAX} AND consumed_at IS NULL AND expires_at > $2
RETURNING {_COLUMNS}
"""
_CONSUME: Final = """
UPDATE one_time_code SET consumed_at = $2 WHERE id = $1 AND consumed_at IS NULL AND expires_at > $2
"""


class OtpStore(OnConnection):
    async def add(self, otp: Otp, now: datetime) -> None:
        await self._conn.execute(_INSERT, *values_of(otp, _COLUMNS), now)

    async def guess(self, otp_id: OtpId, now: datetime) -> Otp | None:
        row = await self._conn.fetchrow(_GUESS, otp_id, now)
        return _otp_of(row) if row else None

    async def consume(self, otp_id: OtpId, now: datetime) -> bool:
        return rows_affected(await self._conn.execute(_CONSUME, otp_id, now)) == 1


def _otp_of(row: asyncpg.Record) -> Otp:
    return object_of(Otp, row, purpose=OtpPurpose(row["purpose"]), channel=Channel(row["channel"]))
