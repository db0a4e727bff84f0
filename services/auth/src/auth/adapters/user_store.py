"""People in ``user_account``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import asyncpg

from auth.domain.contact import Contact
from auth.domain.ids import UserId
from auth.domain.roles import Role
from auth.domain.settings import Audience, Settings
from auth.domain.user import EmailTakenError, PhoneTakenError, User, UserNotFoundError, UserVersionStaleError
from auth.domain.username import UsernameTakenError
from chassis.postgres import OnConnection
from kernel.country import Country
from kernel.errors import DomainError
from kernel.rows import object_of, rows_affected, values_of

COLUMNS: Final = (
    "id, email, email_verified_at, phone_e164, phone_verified_at, username, name, country, kyc_tier, roles, "
    "locale, time_zone, show_presence_to, show_profile_to, findable_by_email, findable_by_phone, "
    "password_hash, token_version, version, registered_at, deleted_at, direct_messages_from, read_receipts, "
    "access_epoch"
)
_TAKEN: Final[dict[str, type[DomainError]]] = {
    "user_account_email": EmailTakenError,
    "user_account_phone": PhoneTakenError,
    "user_account_username": UsernameTakenError,
}
_POINTERS: Final = {EmailTakenError: "/email", PhoneTakenError: "/phone", UsernameTakenError: "/username"}
_PLACES: Final = ", ".join(f"${place}" for place in range(1, 25))
_INSERT: Final = f"""
INSERT INTO user_account ({COLUMNS}) VALUES ({_PLACES})
"""
_FIND: Final = f"""
SELECT {COLUMNS} FROM user_account WHERE id = $1 AND deleted_at IS NULL
"""
_LOCK: Final = f"{_FIND} FOR NO KEY UPDATE"
_SHARE: Final = f"{_FIND} FOR SHARE"
_FIND_BY_EMAIL: Final = f"""
SELECT {COLUMNS} FROM user_account WHERE email = $1 AND deleted_at IS NULL
"""
_FIND_BY_PHONE: Final = f"""
SELECT {COLUMNS} FROM user_account WHERE phone_e164 = $1 AND deleted_at IS NULL
"""
_REHASH: Final = """
UPDATE user_account SET password_hash = $3 WHERE id = $1 AND password_hash = $2
"""
_SAVE: Final = """
UPDATE user_account SET
    email = $2, email_verified_at = $3, phone_e164 = $4, phone_verified_at = $5, username = $6, name = $7,
    country = $8, kyc_tier = $9, roles = $10, locale = $11, time_zone = $12, show_presence_to = $13,
    show_profile_to = $14, findable_by_email = $15, findable_by_phone = $16, password_hash = $17,
    token_version = $18, version = $19, registered_at = $20, deleted_at = $21,
    direct_messages_from = $22, read_receipts = $23, access_epoch = $24
WHERE id = $1 AND version = $19 - 1
"""


class UserStore(OnConnection):
    async def add(self, user: User) -> None:
        await self._write(_INSERT, user)

    async def find(self, user_id: UserId) -> User | None:
        row = await self._conn.fetchrow(_FIND, user_id)
        return user_of(row) if row else None

    async def find_by_contact(self, contact: Contact) -> User | None:
        query = _FIND_BY_EMAIL if contact.email else _FIND_BY_PHONE
        row = await self._conn.fetchrow(query, contact.value)
        return user_of(row) if row else None

    async def lock(self, user_id: UserId) -> User:
        return self._existing(await self._conn.fetchrow(_LOCK, user_id))

    async def share(self, user_id: UserId) -> User:
        return self._existing(await self._conn.fetchrow(_SHARE, user_id))

    async def save(self, user: User) -> None:
        if rows_affected(await self._write(_SAVE, user)) == 0:
            raise UserVersionStaleError

    async def rehash(self, user_id: UserId, old_hash: str, new_hash: str) -> None:
        await self._conn.execute(_REHASH, user_id, old_hash, new_hash)

    async def _write(self, statement: str, user: User) -> str:
        try:
            return await self._conn.execute(statement, *_row_of(user))
        except asyncpg.UniqueViolationError as error:
            taken = _TAKEN.get(error.constraint_name or "")
            if taken is None:
                raise
            raise taken(pointer=_POINTERS[taken]) from None

    @staticmethod
    def _existing(row: asyncpg.Record | None) -> User:
        if row is None:
            raise UserNotFoundError
        return user_of(row)


def user_of(row: asyncpg.Record) -> User:
    """A row that has ``COLUMNS``."""
    settings = object_of(
        Settings,
        row,
        show_presence_to=Audience(row["show_presence_to"]),
        direct_messages_from=Audience(row["direct_messages_from"]),
        show_profile_to=Audience(row["show_profile_to"]),
    )
    roles = frozenset(Role(role) for role in row["roles"])
    return object_of(User, row, country=Country(row["country"]), roles=roles, settings=settings)


def _row_of(user: User) -> list[object]:
    return values_of(user, COLUMNS, roles=sorted(user.roles), **asdict(user.settings))
