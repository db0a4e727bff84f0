"""What an operator does by hand: ``python -m auth grant-role | withdraw-role | rotate-keys | …``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from auth.adapters.transaction import AuthTx
from auth.domain.ids import UserId
from auth.domain.otp import Channel
from auth.domain.roles import Role
from auth.domain.user import User, UserNotFoundError, is_proved
from auth.entrypoints.schemas.contacts import contact_of
from auth.usecases.grant_role import GrantRole, grant_role
from auth.usecases.rotate_keys import rotate_keys
from auth.usecases.withdraw_role import WithdrawRole, withdraw_role
from auth.wiring import NAME, App
from chassis.run import Command
from kernel.errors import DomainError
from operations.acts import DONE, at_console, record, record_refusal
from operations.commands.console import fail, print_line, reason_argument

UNPROVED: Final = """warning: nobody has proved this address or number: whoever signed up with it has the role now.
Ask the person for their user id, or take it back by withdraw-role.
"""
Run = Callable[[App, argparse.Namespace], Awaitable[int]]
Change = Callable[[UserId, Role, AuthTx], Awaitable[User]]


def _with_refusals(run: Run) -> Run:
    """A refusal is one sentence, not a traceback."""

    async def run_and_report(app: App, given: argparse.Namespace) -> int:
        try:
            return await run(app, given)
        except DomainError as error:
            return fail(f"{error.detail} ({error.code})")

    return run_and_report


async def _grant(app: App, given: argparse.Namespace) -> int:
    return await _change_role(
        app, given, "role.grant", lambda who, role, tx: grant_role(GrantRole(user_id=who, role=role), tx)
    )


async def _withdraw(app: App, given: argparse.Namespace) -> int:
    return await _change_role(
        app, given, "role.withdraw", lambda who, role, tx: withdraw_role(WithdrawRole(user_id=who, role=role), tx)
    )


async def _change_role(app: App, given: argparse.Namespace, action: str, change: Change) -> int:
    act = at_console(action, NAME, reason=given.reason, role=given.role, user_id=given.user_id)
    try:
        async with app.begin() as tx:
            before = await tx.users.lock(await _user_id_of(given, tx))
            user = await change(before.id, Role(given.role), tx)
            known = replace(act, target={**act.target, "user_id": user.id}, before={"roles": _roles(before)})
            record(known.ended(DONE, roles=_roles(user)), tx)
    except DomainError as refusal:
        await record_refusal(act, refusal, app)
        raise
    print_line(f"{user.id}: {_roles(user)}")
    if action == "role.grant" and _is_unproved(user, given):
        sys.stderr.write(UNPROVED)
    return 0


async def _rotate(app: App, given: argparse.Namespace) -> int:
    act = at_console("signing_keys.rotate", NAME, reason=given.reason)
    async with app.begin() as tx:
        key = await rotate_keys(tx)
        record(act.ended(DONE, kid=key.kid, signs_from=key.signs_from.isoformat()), tx)
    print_line(f"key {key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC")
    return 0


def _roles(user: User) -> str:
    return ", ".join(sorted(user.roles))


async def _user_id_of(given: argparse.Namespace, tx: AuthTx) -> UserId:
    if given.user_id:
        return UserId(given.user_id)
    user = await tx.users.find_by_contact(contact_of(given.email, given.phone))
    if user is None:
        raise UserNotFoundError
    return user.id


def _is_unproved(user: User, given: argparse.Namespace) -> bool:
    """Whether the person was named by an address or a number that nobody has shown to be theirs."""
    channel = Channel.EMAIL if given.email else Channel.SMS if given.phone else None
    return channel is not None and not is_proved(user, channel)


def _role_arguments(parser: argparse.ArgumentParser) -> None:
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--email")
    who.add_argument("--phone")
    who.add_argument("--user-id", type=UUID)
    parser.add_argument("--role", required=True, choices=[role.value for role in Role])
    reason_argument(parser)


COMMANDS: Final[Mapping[str, Command]] = {
    "grant-role": Command("give somebody a role", _with_refusals(_grant), _role_arguments),
    "withdraw-role": Command("take a role from somebody", _with_refusals(_withdraw), _role_arguments),
    "rotate-keys": Command(
        "let the next signing key take over as early as verifiers can know it", _with_refusals(_rotate), reason_argument
    ),
}
