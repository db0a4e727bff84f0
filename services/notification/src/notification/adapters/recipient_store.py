"""Recipients in Postgres: copies of people. An older version never overwrites a newer one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg

from chassis.postgres import OnConnection
from kernel.rows import object_of, values_of
from notification.domain.ids import UserId
from notification.domain.recipient import Recipient, unknown_recipient

_COLUMNS: Final = "user_id, version, display_name, locale, time_zone, email, phone_e164, email_proved, phone_proved"
_PUT: Final = f"""
INSERT INTO recipient ({_COLUMNS})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (user_id) DO UPDATE
SET version = excluded.version, display_name = excluded.display_name, locale = excluded.locale,
    time_zone = excluded.time_zone, email = excluded.email, phone_e164 = excluded.phone_e164,
    email_proved = excluded.email_proved, phone_proved = excluded.phone_proved
WHERE recipient.version < excluded.version AND recipient.erased_at IS NULL
"""
_GET_MANY: Final = "SELECT * FROM recipient WHERE user_id = ANY($1)"
_LOCK: Final = "SELECT * FROM recipient WHERE user_id = $1 FOR UPDATE"
_END: Final = """
INSERT INTO recipient (user_id, version, display_name, locale, time_zone, erased_at)
VALUES ($1, 0, '', '', '', $2)
ON CONFLICT (user_id) DO UPDATE
SET display_name = '', email = '', phone_e164 = '', erased_at = excluded.erased_at
WHERE recipient.erased_at IS NULL
"""


class RecipientStore(OnConnection):
    async def put(self, recipient: Recipient, *, version: int) -> None:
        await self._conn.execute(_PUT, *values_of(recipient, _COLUMNS, version=version))

    async def get_many(self, user_ids: Sequence[UserId]) -> dict[UserId, Recipient]:
        """Those that are known, ended ones too."""
        if not user_ids:
            return {}
        return {row["user_id"]: _recipient(row) for row in await self._conn.fetch(_GET_MANY, list(user_ids))}

    async def end(self, user_id: UserId, *, at: datetime) -> Recipient:
        known = await self._conn.fetchrow(_LOCK, user_id)
        await self._conn.execute(_END, user_id, at)
        return _recipient(known) if known else unknown_recipient(user_id)


def _recipient(row: asyncpg.Record) -> Recipient:
    return object_of(Recipient, row, has_ended=row["erased_at"] is not None)
