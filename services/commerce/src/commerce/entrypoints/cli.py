"""Operators' commands: ``python -m commerce audit`` and its siblings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from uuid import UUID

from chassis.postgres import Connection
from chassis.run import Command
from commerce.adapters import invariants
from commerce.adapters.demo_catalogue_reads import build_catalogue
from commerce.domain.ids import UserId
from commerce.usecases.load_catalogue import LoadCatalogue, load_catalogue
from commerce.wiring import App
from kernel.country import Country
from operations import audit_command
from operations.commands.console import print_line
from operations.invariants import Finding, run_checks


async def find_violations(app: App, conn: Connection, given: argparse.Namespace) -> Sequence[Finding]:
    return await run_checks(conn, invariants.checks(given.stuck_after_s or app.settings.stuck_after_s))


def audit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stuck-after-s", type=float, help="age at which a pending checkout counts as stuck")


async def load_demo_catalogue(app: App, arguments: argparse.Namespace) -> int:
    """Six shops, three hundred products, five languages; loading again adds nothing."""
    owners = _owners(arguments.owner)
    missing = [country for country in Country if country not in owners]
    if missing:
        sys.stderr.write(f"no owner for {', '.join(missing)}: give --owner USER_ID, or --owner TH=USER_ID for each\n")
        return 2
    catalogue = build_catalogue(owners, app.clock.now())
    async with app.begin() as tx:
        shops, products = await load_catalogue(LoadCatalogue(catalogue=catalogue), tx)
    print_line(
        f"{shops} shops and {products} products added; {len(catalogue.shops)} and {len(catalogue.products)} there"
    )
    return 0


def load_demo_catalogue_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--owner",
        action="append",
        required=True,
        type=_owner,
        metavar="[COUNTRY=]USER_ID",
        help="who owns the shops, or the shop of one country; may be repeated",
    )


def _owner(text: str) -> tuple[Country | None, UserId]:
    country, _, user_id = text.rpartition("=")
    return (Country(country) if country else None), UserId(UUID(user_id))


def _owners(given: Sequence[tuple[Country | None, UserId]]) -> dict[Country, UserId]:
    everywhere = {country: user_id for only, user_id in given if only is None for country in Country}
    return everywhere | {country: user_id for country, user_id in given if country}


COMMANDS: Mapping[str, Command] = {
    "load-demo-catalogue": Command(
        "add the demo's shops and products", load_demo_catalogue, load_demo_catalogue_arguments
    ),
    "audit": audit_command(find_violations, audit_arguments),
}
