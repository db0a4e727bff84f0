"""What is decided without a database: commands a service gets, its routes, its audits."""

from chassis.http import build_openapi
from chassis.http.titles import titles_of
from chassis.settings import ServiceSettings
from eventing import Subscriptions
from kernel.country import LANGUAGES
from operations import kafka_config, operator_commands, operator_routes
from operations.letters import DeadLetterClosedError


def test_a_service_that_consumes_nothing_has_no_dead_letters():
    assert sorted(operator_commands()) == ["parked", "replay"]
    assert [route.path for route in operator_routes("auth")] == [
        "/v1/ops/auth/acts",
        "/v1/ops/auth/outbox",
    ]


def test_every_route_is_for_operators():
    found = list(operator_routes("shop", Subscriptions("shop")))
    assert len(found) == 5
    assert all(route.auth.names == {"ops", "admin"} for route in found)
    assert all(route.path.startswith("/v1/ops/shop/") for route in found)


def test_the_broker_is_reached_as_the_service():
    settings = ServiceSettings(
        environment="test",
        http_port=1,
        ops_port=2,
        database_dsn="postgresql://x",
        database_schema="shop",
        redis_url="redis://x",
        kafka_bootstrap="broker:9092",
        kafka_username="shop",
        kafka_password="secret",
        kafka_topic_prefix="t.",
        kafka_instance="shop-0",
        jwks_url="http://x",
        cursor_secret="test-only-cursor-secret",
    )
    config = kafka_config(settings, "shop")
    assert (config.bootstrap, config.username, config.password) == ("broker:9092", "shop", "secret")
    assert (config.topic_prefix, config.client_id, config.instance) == ("t.", "shop", "shop-0")


def test_titles_come_from_the_package_that_defines_the_error():
    titles = titles_of(DeadLetterClosedError)
    assert set(titles) == set(LANGUAGES)
    assert titles["en"] == DeadLetterClosedError.title
    document = build_openapi("shop", [operator_routes("shop", Subscriptions("shop"))])
    assert document["x-problem-titles"]["operations.dead_letter.closed"] == titles
    assert document["x-problem-titles"]["auth.token.missing"]["vi"]
