"""A service of ``make_service``: its own parts, what operators get beside them, and what may be replaced."""

from contextlib import asynccontextmanager
from pathlib import Path

from pydantic_settings import SettingsConfigDict

from chassis.http import Routes, roles
from chassis.run import Command
from chassis.run.service import no_runners
from chassis.settings import ServiceSettings
from eventing import Subscriptions
from operations import make_service, runners

ORDERS = Routes(tag="orders")


class ShopSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SHOP_")


@ORDERS.get("/v1/orders", auth=roles("user"), summary="Orders")
async def get_orders() -> None:
    """Nothing here is called."""


async def audit(_app, _given):
    return 0


@asynccontextmanager
async def wire(_settings):
    yield None


def service(**more):
    return make_service(
        settings=ShopSettings,
        wire=wire,
        routes=(ORDERS,),
        jobs=no_runners,
        commands={"audit": Command("is all well?", audit)},
        **more,
    )


def paths_of(made):
    return [route.path for table in made.routes for route in table]


def test_operators_get_their_routes_and_commands():
    made = service(handlers=Subscriptions("shop"))
    assert paths_of(made)[:3] == ["/v1/orders", "/v1/ops/shop/acts", "/v1/ops/shop/outbox"]
    assert "/v1/ops/shop/dead-letters" in paths_of(made)
    assert list(made.commands) == ["audit", "dead-letters", "parked", "replay"]


def test_who_consumes_nothing_has_no_consumer_and_no_dead_letters():
    made = service()
    assert made.consumers is no_runners
    assert paths_of(made) == ["/v1/orders", "/v1/ops/shop/acts", "/v1/ops/shop/outbox"]
    assert list(made.commands) == ["audit", "parked", "replay"]


def test_what_every_service_has_is_there_unless_it_has_its_own():
    made = service()
    assert (made.relays, made.background, made.checks) == (runners.relays, runners.background, runners.checks)
    own = service(
        handlers=Subscriptions("shop"),
        consumers=lambda _: ["two"],
        background=lambda _: ["a look"],
        checks=lambda _: {"ledger": None},
        http=lambda routes, app: (len(routes), app),
    )
    assert (own.consumers(None), own.background(None), list(own.checks(None))) == (["two"], ["a look"], ["ledger"])
    assert own.http("app") == (2, "app")


def test_its_name_and_its_migrations_are_found_by_its_settings():
    made = service()
    assert made.name == "shop"
    assert made.migrations == Path(__file__).parents[2] / "migrations"
