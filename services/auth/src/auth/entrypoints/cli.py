"""What an operator does by hand: ``python -m auth grant-role | withdraw-role | rotate-keys | …``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from auth.domain.ids import UserId
from auth.domain.roles import Role
from auth.domain.user import User, UserNotFoundError
from auth.entrypoints.schemas import contact_of
from auth.usecases.change_roles import grant_role, withdraw_role
from auth.usecases.ports import Tools
from auth.usecases.rotate_keys import rotate_keys
from auth.wiring import SERVICE, App, AuthTx
from chassis.run import Command
from kernel.errors import DomainError
from operations import operator_commands
from operations.acts import DONE, at_console, record, record_refusal
from operations.commands.console import reason_argument

_REFUSED: Final = 1
Run = Callable[[App, argparse.Namespace], Awaitable[int]]
Change = Callable[[UserId, Role, AuthTx, Tools], Awaitable[User]]


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
    return await _change_role(app, given, "role.grant", grant_role)


async def _withdraw(app: App, given: argparse.Namespace) -> int:
    return await _change_role(app, given, "role.withdraw", withdraw_role)


async def _change_role(app: App, given: argparse.Namespace, action: str, change: Change) -> int:
    act = at_console(action, SERVICE, reason=given.reason, role=given.role, user_id=given.user_id)
    try:
        async with app.transactions.begin() as tx:
            before = await tx.users.lock(await _named(given, tx))
            user = await change(before.id, Role(given.role), tx, app.tools)
            known = replace(act, target={**act.target, "user_id": user.id}, before={"roles": _roles(before)})
            record(known.ended(DONE, roles=_roles(user)), tx)
    except DomainError as refusal:
        await record_refusal(act, refusal, app)
        raise
    _say(f"{user.id}: {_roles(user)}")
    return 0


async def _rotate(app: App, given: argparse.Namespace) -> int:
    act = at_console("signing_keys.rotate", SERVICE, reason=given.reason)
    async with app.transactions.begin() as tx:
        key = await rotate_keys(tx, app.tools.clock)
        record(act.ended(DONE, kid=key.kid, signs_from=key.signs_from.isoformat()), tx)
    _say(f"key {key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC")
    return 0


def _roles(user: User) -> str:
    return ", ".join(sorted(user.roles))


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
    reason_argument(parser)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


COMMANDS: Final[Mapping[str, Command]] = {
    "grant-role": Command("give somebody a role", _telling(_grant), _role_arguments),
    "withdraw-role": Command("take a role from somebody", _telling(_withdraw), _role_arguments),
    "rotate-keys": Command(
        "let the next signing key take over as early as verifiers can know it", _telling(_rotate), reason_argument
    ),
    **operator_commands(),
}
