"""Merging: one valid document, no name means two things, and no service lies about its routes."""

import json

import pytest
from markupsafe import escape
from openapi_spec_validator import validate

from gateway.portal.build import build_portal, read_openapi
from gateway.portal.codes import error_codes
from gateway.portal.openapi import ServiceDocumentError, disagreements, merge
from gateway.table import RouteTable, load_table


def table(**changes):
    base = {
        "owners": {"/v1/orders": "commerce", "/v1/wallets": "payment"},
        "public": (),
        "waiting": (),
        "websocket": (),
        "large_bodies": {},
        "limits": load_table().limits,
    }
    return RouteTable.model_validate(base | changes)


def operation(view="Item", *, security=({"access_token": []},), codes=("commerce.order.empty",)):
    problem = {"allOf": [{"properties": {"code": {"enum": list(codes)}}}]}
    return {
        "operationId": "get_it",
        "security": list(security),
        "responses": {
            "200": {
                "description": "OK",
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{view}"}}},
            },
            "422": {"description": "no", "content": {"application/problem+json": {"schema": problem}}},
        },
    }


def document(path, schema, **kwargs):
    return {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "tags": [{"name": "things"}],
        "paths": {path: {"get": operation(**kwargs)}},
        "components": {
            "schemas": {"Item": schema},
            "securitySchemes": {"access_token": {"type": "http", "scheme": "bearer"}},
        },
    }


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def test_two_documents_become_one_valid_one():
    merged = merge({"commerce": document("/v1/orders", TEXT), "payment": document("/v1/wallets", TEXT)}, table())
    validate(merged)
    assert list(merged["paths"]) == ["/v1/orders", "/v1/wallets"]
    assert merged["tags"] == [{"name": "things"}]
    assert merged["paths"]["/v1/orders"]["get"]["operationId"] == "commerce_get_it"


def test_a_name_that_means_two_things_is_kept_apart():
    merged = merge({"commerce": document("/v1/orders", TEXT), "payment": document("/v1/wallets", NUMBER)}, table())
    validate(merged)
    schemas = merged["components"]["schemas"]
    assert (schemas["Item"], schemas["PaymentItem"]) == (TEXT, NUMBER)
    used = merged["paths"]["/v1/wallets"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert used == {"$ref": "#/components/schemas/PaymentItem"}


def test_security_of_a_whole_document_stays_with_its_operations():
    mine = document("/v1/orders", TEXT)
    del mine["paths"]["/v1/orders"]["get"]["security"]
    mine["security"] = [{"access_token": []}]
    merged = merge({"commerce": mine}, table())
    assert merged["paths"]["/v1/orders"]["get"]["security"] == [{"access_token": []}]


@pytest.mark.parametrize(
    ("documents", "routes", "sentence"),
    [
        ({"payment": document("/v1/orders", TEXT)}, {}, "routes it to commerce"),
        ({"payment": document("/v1/nowhere", TEXT)}, {}, "routes it to nobody"),
        ({"commerce": document("/v1/orders", TEXT, security=())}, {}, "the service says public"),
        ({"commerce": document("/v1/orders", TEXT)}, {"public": ["GET /v1/orders"]}, "the service says needs a token"),
        ({"commerce": document("/v1/orders", TEXT)}, {"waiting": ["GET /v1/orders/{id}"]}, "no service answers it"),
        (
            {"commerce": document("/v1/orders", TEXT), "payment": document("/v1/orders", TEXT)},
            {},
            "is described by payment and by another service",
        ),
    ],
)
def test_a_document_that_differs_from_the_route_table_is_refused(documents, routes, sentence):
    with pytest.raises(ServiceDocumentError, match=sentence):
        merge(documents, table(**routes))


def test_a_route_that_reads_a_token_if_there_is_one_is_public():
    optional = document("/v1/orders", TEXT, security=({}, {"access_token": []}))
    assert merge({"commerce": optional}, table(public=["GET /v1/orders"]))


def test_the_committed_document_is_valid_and_agrees_with_the_route_table():
    committed = read_openapi()
    validate(committed)
    assert list(disagreements(committed, load_table())) == []


def test_codes_come_from_services_and_from_the_gateway():
    merged = merge(
        {"commerce": document("/v1/orders", TEXT, codes=("commerce.order.empty", "request.rate.limited"))}, table()
    )
    codes = {code.code: code for code in error_codes(merged)}
    assert codes["commerce.order.empty"].operations == ("GET /v1/orders",)
    assert codes["commerce.order.empty"].statuses == (422,)
    assert not codes["commerce.order.empty"].from_gateway
    assert codes["request.rate.limited"].from_gateway
    assert "service.timeout" in codes


def test_the_portal_has_a_page_for_every_code_and_every_record(tmp_path):
    folder = tmp_path / "portal"
    build_portal(folder)
    build_portal(folder)  # again, over itself
    for code in error_codes(read_openapi()):
        assert code.code in (folder / "problems" / f"{code.code}.html").read_text()
    for record in json.loads((folder / "events.json").read_text())["records"]:
        page = (folder / "events" / f"{record['name']}.html").read_text()
        assert record["ordering"] in page
    assert not list(tmp_path.glob("*.new"))
    events = (folder / "events" / "index.html").read_text()
    for reason in json.loads((folder / "events.json").read_text())["reasons"]:
        assert f"<code>{reason['code']}</code>" in events
        assert all(escape(sentence) in events for sentence in reason["sentences"].values())


def test_every_code_has_its_title_in_five_languages(tmp_path):
    shown = {code.code: code for code in error_codes(read_openapi())}
    missing = {
        code: sorted({"en", "th", "id", "ms", "vi"} - set(found.titles))
        for code, found in shown.items()
        if set(found.titles) != {"en", "th", "id", "ms", "vi"}
    }
    assert missing == {}, "a package's problems.json lacks titles of its codes"
    build_portal(tmp_path / "portal")
    page = (tmp_path / "portal" / "problems" / "operations.dead_letter.closed.html").read_text()
    assert all(title in page for title in shown["operations.dead_letter.closed"].titles.values())
