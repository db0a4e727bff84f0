"""This service's copy of people: a name to show, a language, and what they let others see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

_KEEP: Final = """
    INSERT INTO account (user_id, version, display_name, locale) VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id) DO UPDATE SET version = excluded.version, display_name = excluded.display_name,
                                        locale = excluded.locale
    WHERE account.version < excluded.version AND account.erased_at IS NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """``version``: of the person in auth; an older one never replaces a newer."""

    user_id: UUID
    version: int
    display_name: str
    locale: str


async def keep_account(conn: asyncpg.Connection[Any], account: Account) -> None:
    await conn.execute(_KEEP, account.user_id, account.version, account.display_name, account.locale)
