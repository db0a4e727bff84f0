"""The route table: every route once, below an owner; what is wrong is refused by name."""

import re

import pytest
import yaml

from gateway.table import LIMITS_PATH, Endpoint, RoutesError, RouteTable, load_table, make_table
from registry import RouteList, Service


@pytest.fixture(scope="module")
def table():
    return load_table()


@pytest.mark.parametrize(
    ("method", "path", "public"),
    [
        ("POST", "/v1/users", True),
        ("GET", "/v1/users", False),
        ("GET", "/v1/users/me", False),
        ("POST", "/v1/sessions/refresh", True),
        ("DELETE", "/v1/sessions/{session_id}", False),
        ("GET", "/v1/products/{id}", True),
        ("PUT", "/v1/products/{id}", False),
        ("GET", "/v1/products/{product_id}/variants", False),
        ("POST", "/v1/provider-webhooks/{provider}", True),
        ("GET", "/v1/ops/sagas", False),
    ],
)
def test_what_is_public(table, method, path, public):
    assert table.is_public(method, path) is public


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/v1/users/me/settings", "auth"),
        ("/v1/usersx", None),
        ("/v1", None),
        ("/v1/ops/sagas/1", "orchestrator"),
        ("/v1/ops/payment/outbox", "payment"),
        ("/v1/notifications", "notification"),
        ("/v1/notification-preferences", "notification"),
    ],
)
def test_who_answers(table, path, owner):
    assert table.owner_of(path) == owner


def test_every_public_route_is_listed_once(table):
    assert len(table.public) == len(set(table.public))
    shapes = [(e.method, re.sub(r"\{[^}]*\}", "{}", e.path)) for e in table.public_endpoints]
    assert len(shapes) == len(set(shapes))


def test_the_pattern_of_a_template_matches_one_segment_only():
    regex = Endpoint.parse("GET /v1/products/{product_id}").regex
    assert re.fullmatch(regex, "/v1/products/abc")
    for other in ("/v1/products/", "/v1/products/a/b", "/v1/products", "/v1/productsx/a"):
        assert not re.fullmatch(regex, other)


LIMITS = yaml.safe_load(LIMITS_PATH.read_text())


def service(name, **routes):
    return Service(name=name, root=LIMITS_PATH.parent, about="x", ports={}, routes=RouteList(**routes))


@pytest.mark.parametrize(
    ("routes", "sentence"),
    [
        ({"public": ("POST /v1/users", "POST /v1/users")}, "POST /v1/users is listed twice"),
        ({"public": ("POST /v2/users",)}, "lies below none of its own paths"),
        ({"public": ("POST /v1/shops",)}, "lies below none of its own paths"),
        ({"public": ("FETCH /v1/users",)}, "is not a method and a path"),
        ({"public": ("GET /v1/users/*",)}, "is not a path segment"),
        ({"websocket": ("GET /chat",)}, "lies below none of its own paths"),
        ({"large_bodies": {"/v1/media": 5}}, "is no owner's path"),
    ],
)
def test_wrong_routes_are_refused_with_their_fault(routes, sentence):
    other = service("commerce", paths=("/v1/shops",))
    with pytest.raises(RoutesError, match=re.escape(sentence)):
        make_table([service("auth", paths=("/v1/users",), **routes), other], LIMITS)


@pytest.mark.parametrize(("limits", "sentence"), [({}, "limits.body_bytes_max"), (LIMITS | {"x": 1}, "limits.x")])
def test_wrong_limits_are_refused_with_their_fault(limits, sentence):
    with pytest.raises(RoutesError, match=re.escape(sentence)):
        make_table([service("auth", paths=("/v1/users",))], limits)


def test_the_table_is_frozen(table):
    with pytest.raises(ValueError, match="frozen"):
        table.public = ()
    assert isinstance(table, RouteTable)
