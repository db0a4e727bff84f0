"""``python -m auth grant-role | withdraw-role | rotate-keys``: what an operator does by hand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from uuid import UUID

from auth.domain.ids import UserId
from auth.domain.roles import Role
from auth.domain.user import UserNotFoundError
from auth.entrypoints.schemas import contact_of
from auth.settings import AuthSettings
from auth.usecases.change_roles import grant_role, withdraw_role
from auth.usecases.rotate_keys import rotate_keys
from auth.wiring import AuthTx, wire


async def grant_role_command(settings: AuthSettings, arguments: Sequence[str]) -> int:
    """--email E | --phone P | --user-id ID, and --role R."""
    return await _change_role(settings, arguments, grant=True)


async def withdraw_role_command(settings: AuthSettings, arguments: Sequence[str]) -> int:
    """--email E | --phone P | --user-id ID, and --role R."""
    return await _change_role(settings, arguments, grant=False)


async def rotate_keys_command(settings: AuthSettings, arguments: Sequence[str]) -> int:
    """Let the next signing key take over as early as verifiers can know it."""
    argparse.ArgumentParser(prog="auth rotate-keys").parse_args(arguments)
    async with wire(settings) as app:
        async with app.begin() as tx:
            key = await rotate_keys(tx, app.tools.clock)
        _say(f"key {key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC")
    return 0


async def _change_role(settings: AuthSettings, arguments: Sequence[str], *, grant: bool) -> int:
    parser = argparse.ArgumentParser(prog=f"auth {'grant' if grant else 'withdraw'}-role")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--email")
    who.add_argument("--phone")
    who.add_argument("--user-id", type=UUID)
    parser.add_argument("--role", required=True, choices=[role.value for role in Role])
    given = parser.parse_args(arguments)
    async with wire(settings) as app:
        async with app.begin() as tx:
            user_id = given.user_id or await _find(given.email, given.phone, tx)
            change = grant_role if grant else withdraw_role
            user = await change(UserId(user_id), Role(given.role), tx, app.tools.clock)
        _say(f"{user.id}: {', '.join(sorted(user.roles))}")
    return 0


async def _find(email: str | None, phone: str | None, tx: AuthTx) -> UUID:
    user = await tx.users.find_by_contact(contact_of(email, phone))
    if user is None:
        raise UserNotFoundError
    return user.id


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
