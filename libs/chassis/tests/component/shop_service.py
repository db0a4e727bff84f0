"""A service as small as one can be, run by the tests as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from pydantic_settings import SettingsConfigDict

from chassis.http import Routes, View, make_app
from chassis.postgres import Database
from chassis.run import Command, Periodic, Service, main
from chassis.settings import ServiceSettings


class ShopSettings(ServiceSettings):
    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="SHOP_", frozen=True)


class Answer(View):
    """What it has to say."""

    text: str


@dataclass(frozen=True)
class App:
    database: Database
    settings: ShopSettings
    requests: asyncio.Event = field(default_factory=asyncio.Event)


routes = Routes(tag="shop")


@routes.get("/v1/slow/{ms}", auth="public")
async def slow(ms: int) -> Answer:
    """Answers after a while."""
    sys.stderr.write("slow begun\n")
    sys.stderr.flush()
    await asyncio.sleep(ms / 1000)
    return Answer(text="slow")


@asynccontextmanager
async def wire(settings: ShopSettings) -> AsyncIterator[App]:
    database = await Database.connect(settings)
    try:
        yield App(database, settings)
    finally:
        await database.close()
        sys.stderr.write("wire closed\n")


class Worker:
    """Says when it begins and when it has finished what it was doing."""

    name = "worker"

    def problem(self) -> str | None:
        return None

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()
        await asyncio.sleep(0.1)
        sys.stderr.write("worker finished\n")


class Crashing:
    """Fails twice, then runs."""

    name = "crashing"

    def __init__(self) -> None:
        self.attempts = 0

    def problem(self) -> str | None:
        return None

    async def run(self, stop: asyncio.Event) -> None:
        self.attempts += 1
        if self.attempts < 3:
            raise ZeroDivisionError
        sys.stderr.write("crashing runs\n")
        await stop.wait()


async def greet(app: App, arguments: argparse.Namespace) -> int:
    async with app.database.read() as conn:
        sys.stdout.write(f"{arguments.word} from {await conn.fetchval('SELECT current_schema()')}\n")
    return 7


async def fail() -> None:
    raise ZeroDivisionError


SERVICE = Service(
    name="shop",
    settings=ShopSettings,
    wire=wire,
    http=lambda app: make_app("shop", [routes], app=app, settings=app.settings),
    routes=[routes],
    jobs=lambda _: [Worker(), Periodic("failing-job", 0.1, fail)],
    background=lambda _: [Crashing()],
    migrations=Path(__file__).parent / "shop_migrations",
    commands={"greet": Command("say a word", greet, lambda parser: parser.add_argument("word") and None)},
    checks=lambda app: {"postgres": app.database.check},
)

if __name__ == "__main__":
    main(SERVICE)
