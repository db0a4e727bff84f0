"""What an operator does by hand: ``python -m auth grant-role | withdraw-role | rotate-keys | …``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

from auth.domain.ids import UserId
from auth.domain.roles import Role
from auth.domain.user import UserNotFoundError
from auth.entrypoints.schemas import contact_of
from auth.usecases.change_roles import grant_role, withdraw_role
from auth.usecases.rotate_keys import rotate_keys
from auth.wiring import App, AuthTx
from chassis.run import Command
from kernel.errors import DomainError
from operations import operator_commands

_REFUSED: Final = 1
Run = Callable[[App, argparse.Namespace], Awaitable[int]]


def _telling(run: Run) -> Run:
    """A refusal is one sentence, not a traceback."""

    async def told(app: App, given: argparse.Namespace) -> int:
        try:
            return await run(app, given)
        except DomainError as error:
            sys.stderr.write(f"{error.detail} ({error.code})\n")
            return _REFUSED

    return told


async def _grant(app: App, given: argparse.Namespace) -> int:
    async with app.transactions.begin() as tx:
        user = await grant_role(await _named(given, tx), Role(given.role), tx, app.tools)
    _say(f"{user.id}: {', '.join(sorted(user.roles))}")
    return 0


async def _withdraw(app: App, given: argparse.Namespace) -> int:
    async with app.transactions.begin() as tx:
        user = await withdraw_role(await _named(given, tx), Role(given.role), tx, app.tools)
    _say(f"{user.id}: {', '.join(sorted(user.roles))}")
    return 0


async def _rotate(app: App, _: argparse.Namespace) -> int:
    async with app.transactions.begin() as tx:
        key = await rotate_keys(tx, app.tools.clock)
    _say(f"key {key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC")
    return 0


async def _named(given: argparse.Namespace, tx: AuthTx) -> UserId:
    if given.user_id:
        return UserId(given.user_id)
    user = await tx.users.find_by_contact(contact_of(given.email, given.phone))
    if user is None:
        raise UserNotFoundError
    return user.id


def _role_arguments(parser: argparse.ArgumentParser) -> None:
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--email")
    who.add_argument("--phone")
    who.add_argument("--user-id", type=UUID)
    parser.add_argument("--role", required=True, choices=[role.value for role in Role])


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


COMMANDS: Final[Mapping[str, Command]] = {
    "grant-role": Command("give somebody a role", _telling(_grant), _role_arguments),
    "withdraw-role": Command("take a role from somebody", _telling(_withdraw), _role_arguments),
    "rotate-keys": Command("let the next signing key take over as early as verifiers can know it", _telling(_rotate)),
    **operator_commands(),
}
