"""Which names a new service cannot have, each with a sentence that says why."""

import pytest

from new_service.taken import LETTERS_MAX, why_not
from registry import load_services
from stack.layout import CHECKOUT

SERVICES = load_services(CHECKOUT)


@pytest.mark.parametrize("name", ["reviews", "loyalty", "shipping", "coupons", "x" * LETTERS_MAX])
def test_a_word_of_ones_own_is_free(name: str) -> None:
    assert why_not(name, SERVICES, CHECKOUT) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "only lower-case letters"),
        ("Reviews", "only lower-case letters"),
        ("re-views", "only lower-case letters"),
        ("re_views", "only lower-case letters"),
        ("reviews2", "only lower-case letters"),
        ("đánh", "only lower-case letters"),
        ("os", "at least 3 letters"),
        ("x" * (LETTERS_MAX + 1), "at most 20 letters"),
        *((service.name, "a service is called so") for service in SERVICES),
        *((folder.name, "a library is called so") for folder in (CHECKOUT / "libs").iterdir()),
        ("options", "a package of events is called so"),
        ("postgres", "a part of a stack"),
        ("redis", "a part of a stack"),
        ("kafka", "a part of a stack"),
        ("envoy", "a part of a stack"),
        ("supervisor", "a port of the stack"),
        ("admin", "a user of Redis or Kafka"),
        ("probe", "a user of Redis or Kafka"),
        ("default", "a user of Redis or Kafka"),
        ("public", "Postgres keeps"),
        ("none", "Postgres keeps"),
        ("private", "names of topics"),
        ("infra", "something of its own"),
        ("topics", "something of its own"),
        ("test", "an instance of the stack"),
        ("demo", "an instance of the stack"),
        ("docs", "the gateway serves its own pages"),
        ("chat", "the gateway serves its own pages"),
        ("orders", "/v1/orders leads to commerce"),
        ("realtime", "/v1/realtime leads to messaging"),
        ("sagas", "/v1/ops/sagas leads to orchestrator"),
        ("ops", "all services' operators"),
        ("class", "a word of Python's own"),
        ("json", "Python's standard library"),
        ("calendar", "Python's standard library"),
        ("order", "a word of SQL's own"),
        ("user", "a word of SQL's own"),
        ("aiohttp", "an installed package"),
        ("stack", "a tool of this tree"),
        ("sampan", "an installed package"),
        ("service", "what all services have"),
    ],
)
def test_a_name_that_cannot_be_says_why(name: str, why: str) -> None:
    reason = why_not(name, SERVICES, CHECKOUT)
    assert reason is not None
    assert why in reason
