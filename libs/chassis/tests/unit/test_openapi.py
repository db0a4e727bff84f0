"""The OpenAPI document: valid against the 3.1 metaschema, and it says what the routes do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import Field

from chassis.http import (
    Body,
    IfMatch,
    Line,
    Moment,
    MoneyBody,
    MoneyView,
    Page,
    PageQuery,
    RateLimit,
    Reply,
    Routes,
    View,
    WaitQuery,
    build_openapi,
    roles,
)
from chassis.tokens import Principal
from kernel.errors import DomainError, Kind

routes = Routes(tag="orders")
ops = Routes(tag="ops")


class EmptyOrderError(DomainError):
    code: ClassVar[str] = "commerce.order.empty"
    kind: ClassVar[Kind] = Kind.INVALID


class OrderGoneError(DomainError):
    code: ClassVar[str] = "commerce.order.not_found"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class Status(StrEnum):
    PAID = "paid"
    PENDING = "pending"


class OrderLine(Body):
    item_id: UUID
    quantity: Annotated[int, Field(ge=1)]


class OrderBody(Body):
    lines: list[OrderLine]
    note: Line = ""
    budget: MoneyBody | None = None


class OrderView(View):
    order_id: UUID
    status: Status
    total: MoneyView
    placed_at: datetime


class OrdersQuery(PageQuery):
    status: list[Status] = []  # noqa: RUF012 -- pydantic copies it
    since: Moment | None = None


@routes.post(
    "/v1/orders",
    status=202,
    idempotency="required",
    errors=(EmptyOrderError,),
    summary="Place an order",
    limit=RateLimit("orders", per_user=30, window_s=60),
)
async def post_order(body: OrderBody, principal: Principal, tx: Any) -> Reply[OrderView]: ...  # type: ignore[empty-body]


@routes.get("/v1/orders")
async def list_orders(query: OrdersQuery, principal: Principal) -> Page[OrderView]: ...  # type: ignore[empty-body]


@routes.get("/v1/orders/{order_id}", errors=(OrderGoneError,))
async def get_order(order_id: UUID, query: WaitQuery) -> OrderView:  # type: ignore[empty-body]
    """Get an order.

    Waits for it if asked.
    """


@routes.patch("/v1/orders/{order_id}", deprecated="@1767225600")
async def patch_order(order_id: UUID, body: OrderBody, if_match: IfMatch) -> OrderView: ...  # type: ignore[empty-body]


@routes.put("/v1/orders/{order_id}")
async def put_order(order_id: UUID, body: OrderBody, if_match: IfMatch | None) -> OrderView: ...  # type: ignore[empty-body]


@routes.delete("/v1/orders/{order_id}")
async def delete_order(order_id: UUID) -> None: ...


@routes.post("/v1/hooks/{provider}", auth="public")
async def hook(provider: Status, body: bytes) -> None: ...


@ops.get("/v1/ops/pages/{number}", auth=roles("ops", "admin"))
async def ops_page(number: int) -> OrderView: ...  # type: ignore[empty-body]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build_openapi("commerce", [routes, ops])


def codes(operation: dict[str, Any], status: str) -> set[str]:
    schema = operation["responses"][status]["content"]["application/problem+json"]["schema"]
    return set(schema["allOf"][1]["properties"]["code"]["enum"])


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []  # type: ignore[arg-type]


def test_no_schema_is_a_boolean(document: dict[str, Any]) -> None:
    """JSON Schema lets `true` stand for anything; generators of clients do not."""

    def schemas(part: Any) -> Iterator[Any]:
        if isinstance(part, dict):
            for name, each in part.items():
                if name in {"schema", "items"}:
                    yield each
                yield from schemas(each)
        elif isinstance(part, list):
            for each in part:
                yield from schemas(each)

    found = list(schemas(document))
    assert {} in found  # the raw body of the hook
    assert [each for each in found if not isinstance(each, dict)] == []


def test_a_version_that_may_be_named_is_documented(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/v1/orders/{order_id}"]["put"]["parameters"]
    assert {"$ref": "#/components/parameters/IfMatch"} in parameters
    assert document["components"]["parameters"]["IfMatch"]["required"] is False
    assert document["components"]["parameters"]["IfMatchRequired"]["required"] is True


def test_negative_control_the_validator_finds_faults(document: dict[str, Any]) -> None:
    broken = {**document, "paths": {"/x": {"get": {"responses": {"two hundred": {}}}}}}
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())  # type: ignore[arg-type]


def test_an_operation_says_what_it_needs(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/orders"]["post"]
    assert (operation["operationId"], operation["tags"], operation["summary"]) == (
        "post_order",
        ["orders"],
        "Place an order",
    )
    assert operation["requestBody"]["required"] is True
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/OrderBody"
    }
    assert {"$ref": "#/components/parameters/IdempotencyKeyRequired"} in operation["parameters"]
    assert operation["security"] == [{"access_token": []}]
    accepted = operation["responses"]["202"]
    assert accepted["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/OrderView"}
    assert {"Location", "RateLimit", "RateLimit-Policy", "Idempotency-Replayed", "X-Request-Id"} <= set(
        accepted["headers"]
    )


def test_an_operation_lists_every_code(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/orders"]["post"]
    assert set(operation["responses"]) == {"202", "400", "401", "409", "413", "415", "422", "429", "500", "503"}
    assert codes(operation, "400") == {"request.body.malformed", "request.header.malformed", "idempotency_key_missing"}
    assert codes(operation, "401") == {
        "auth.token.missing",
        "auth.token.invalid",
        "auth.token.expired",
        "auth.token.revoked",
    }
    assert codes(operation, "409") == {"idempotency_in_flight"}
    assert codes(operation, "422") == {
        "commerce.order.empty", "request.body.invalid", "request.query.invalid", "idempotency_key_reused",
    }  # fmt: skip
    assert "Retry-After" in operation["responses"]["429"]["headers"]
    assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]


def test_parameters_of_path_and_query(document: dict[str, Any]) -> None:
    get = document["paths"]["/v1/orders/{order_id}"]["get"]
    by_name = {each["name"]: each for each in get["parameters"] if "name" in each}
    assert by_name["order_id"] == {
        "name": "order_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"},
    }  # fmt: skip
    assert by_name["wait_s"]["schema"]["maximum"] == 10.0
    assert codes(get, "404") == {"commerce.order.not_found", "request.path.not_found"}
    assert (get["summary"], get["description"].startswith("Get an order.\n")) == ("Get an order", True)
    listed = {each["name"]: each for each in document["paths"]["/v1/orders"]["get"]["parameters"] if "name" in each}
    assert listed["status"]["schema"]["type"] == "array"
    assert (listed["limit"]["schema"]["minimum"], listed["limit"]["schema"]["maximum"]) == (1, 200)
    assert listed["since"]["schema"]["format"] == "date-time"
    assert not listed["since"]["required"]
    assert "cursor_invalid" in codes(document["paths"]["/v1/orders"]["get"], "422")


def test_edits_deletes_hooks_and_roles(document: dict[str, Any]) -> None:
    patch = document["paths"]["/v1/orders/{order_id}"]["patch"]
    assert {"$ref": "#/components/parameters/IfMatchRequired"} in patch["parameters"]
    assert patch["deprecated"] is True
    assert codes(patch, "412") == {"request.precondition.failed"}
    delete = document["paths"]["/v1/orders/{order_id}"]["delete"]
    assert "content" not in delete["responses"]["204"]
    hooked = document["paths"]["/v1/hooks/{provider}"]["post"]
    assert hooked["security"] == []
    assert hooked["parameters"][0]["schema"]["enum"] == ["paid", "pending"]
    for_ops = document["paths"]["/v1/ops/pages/{number}"]["get"]
    assert for_ops["x-roles"] == ["admin", "ops"]
    assert codes(for_ops, "403") == {"auth.role.missing"}


def test_query_models_are_not_components(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert "OrdersQuery" not in schemas
    assert {"OrderBody", "OrderView", "OrderLine", "MoneyView", "Problem", "FieldError"} <= set(schemas)
    assert schemas["OrderBody"]["additionalProperties"] is False
