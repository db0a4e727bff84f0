"""The OpenAPI 3.1 document of a service, made from its route table alone.

Invariant: it says what the endpoint does: each parameter, body, answer, header and error code, because both are
made from the same plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chassis.http import openapi_parts as parts
from chassis.http.documented import CHASSIS_ERRORS, errors_of
from chassis.http.problems import status_of
from chassis.http.routes import Roles, RouteError, Routes
from chassis.http.signature import Plan, read_plan
from chassis.http.titles import titles_of

__all__ = ["CHASSIS_ERRORS", "build_openapi", "render_openapi"]

VERSION: Final = "1"
_REFS: Final = "#/components/schemas/{model}"


def build_openapi(name: str, routes: Sequence[Routes], *, description: str = "") -> dict[str, Any]:
    """The document. Needs no connection, no settings, and no running event loop."""
    plans = [read_plan(route) for table in routes for route in table]
    schemas = _Schemas(plans)
    paths: dict[str, dict[str, Any]] = {}
    routes_of: dict[str, str] = {}
    for plan in plans:
        other = routes_of.setdefault(plan.handler.__name__, plan.route.name)
        if other != plan.route.name:
            raise RouteError(f"{plan.route.name}: its handler is named like that of {other}, and names are ids")
        paths.setdefault(plan.route.path, {})[plan.route.method.lower()] = _operation(plan, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Sampan {name}",
            "version": VERSION,
            "description": description or f"The public routes of the {name} service.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in sorted({table.tag for table in routes})],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**schemas.components(), "Problem": parts.PROBLEM, "FieldError": parts.FIELD_ERROR},
            "headers": parts.HEADERS,
            "parameters": parts.PARAMETERS,
            "securitySchemes": {"access_token": parts.ACCESS_TOKEN},
        },
        "x-problem-titles": _titles(plans),
    }


def _titles(plans: Sequence[Plan]) -> dict[str, dict[str, str]]:
    """What a person reads of each code, in their language; also of codes that no route of these answers with."""
    refusals = {error.code: error for error in CHASSIS_ERRORS}
    refusals |= {error.code: error for plan in plans for error in errors_of(plan)}
    return {code: dict(titles_of(refusals[code])) for code in sorted(refusals)}


def render_openapi(document: Mapping[str, Any]) -> bytes:
    """The document as JSON bytes."""
    return orjson.dumps(document)


class _Schemas:
    """JSON Schemas of all models, under the names pydantic gives them."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        bodies = [(plan.body, "validation") for plan in plans if plan.body is not None]
        queries = [(plan.query_model, "validation") for plan in plans if plan.query_model is not None]
        views = [(plan.view, "serialization") for plan in plans if _is_model(plan.view)]
        inputs: Any = list(dict.fromkeys([*bodies, *queries, *views]))
        self._refs, definitions = models_json_schema(inputs, ref_template=_REFS)
        self._components: dict[str, Any] = dict(definitions.get("$defs", {}))
        self._query_names = {self._name(model, "validation") for model, _ in queries}
        self._kept = {self._name(model, mode) for model, mode in (*bodies, *views)}

    def ref(self, model: type[BaseModel], mode: str) -> dict[str, Any]:
        found: dict[str, Any] = self._refs[(model, mode)]  # type: ignore[index]
        return found

    def properties(self, model: type[BaseModel]) -> tuple[dict[str, Any], set[str]]:
        """A query model's parameters, and which are required."""
        schema = self._components[self._name(model, "validation")]
        return schema.get("properties", {}), set(schema.get("required", ()))

    def components(self) -> dict[str, Any]:
        """What the document refers to: query models are taken apart into parameters."""
        left_out = self._query_names - self._kept
        return {name: schema for name, schema in sorted(self._components.items()) if name not in left_out}

    def _name(self, model: Any, mode: str) -> str:
        return str(self.ref(model, mode)["$ref"].rsplit("/", maxsplit=1)[-1])


def _operation(plan: Plan, schemas: _Schemas) -> dict[str, Any]:
    route = plan.route
    operation: dict[str, Any] = {
        "operationId": plan.handler.__name__,
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": _parameters(plan, schemas),
        "responses": {**_successes(plan, schemas), **_refusals(plan)},
        "security": _security(plan),
    }
    if route.description:
        operation["description"] = route.description
    if isinstance(route.auth, Roles):
        operation["x-roles"] = sorted(route.auth.names)
    if route.deprecated:
        operation["deprecated"] = True
    body = _body(plan, schemas)
    if body is not None:
        operation["requestBody"] = body
    return operation


def _parameters(plan: Plan, schemas: _Schemas) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": each.name, "in": "path", "required": True, "schema": parts.path_schema(each.kind)}
        for each in plan.path
    ]
    if plan.query_model is not None:
        properties, required = schemas.properties(plan.query_model)
        found += [_query_parameter(name, schema, name in required) for name, schema in properties.items()]
    if plan.idempotency in {"required", "own"}:
        found.append({"$ref": "#/components/parameters/IdempotencyKeyRequired"})
    elif plan.idempotency == "optional":
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if plan.if_match is not None:
        name = "IfMatchRequired" if plan.if_match_required else "IfMatch"
        found.append({"$ref": f"#/components/parameters/{name}"})
    found += [
        {"name": name, "in": "header", "required": False, "description": about, "schema": {"type": "string"}}
        for name, about in plan.route.reads.items()
    ]
    return [*found, {"$ref": "#/components/parameters/AcceptLanguage"}]


def _query_parameter(name: str, schema: Mapping[str, Any], required: bool) -> dict[str, Any]:  # noqa: FBT001
    schema = parts.without_null(schema)
    parameter = {"name": name, "in": "query", "required": required, "schema": schema}
    if "description" in schema:
        parameter["description"] = schema["description"]
    return parameter


def _body(plan: Plan, schemas: _Schemas) -> dict[str, Any] | None:
    if plan.body_raw:
        return {"required": True, "content": {"application/json": {"schema": parts.ANYTHING}}}
    if plan.body is None:
        return None
    schema = schemas.ref(plan.body, "validation")
    return {"required": not plan.body_optional, "content": {"application/json": {"schema": schema}}}


def _successes(plan: Plan, schemas: _Schemas) -> dict[str, Any]:
    return {str(status): _success(plan, status, schemas) for status in plan.statuses}


def _success(plan: Plan, status: int, schemas: _Schemas) -> dict[str, Any]:
    headers = ["X-Request-Id"]
    if status in {201, 202}:
        headers.append("Location")
    if plan.idempotency in {"required", "optional", "own"}:
        headers.append("Idempotency-Replayed")
    if plan.route.limits:
        headers += ["RateLimit", "RateLimit-Policy"]
    response: dict[str, Any] = {"description": parts.REASONS[status], "headers": parts.header_refs(headers)}
    for name, about in plan.route.answers_with.items():
        response["headers"][name] = {"description": about, "schema": {"type": "string"}}
    if plan.view is None or status in {204, 304}:
        return response
    if _is_model(plan.view):
        schema = schemas.ref(plan.view, "serialization")
        response["content"] = {"application/json": {"schema": schema}}
    else:
        response["content"] = {"*/*": {"schema": parts.ANYTHING}}
    return response


def _refusals(plan: Plan) -> dict[str, Any]:
    codes: dict[int, list[str]] = {}
    for error in errors_of(plan):
        known = codes.setdefault(status_of(error), [])
        if error.code not in known:
            known.append(error.code)
    return {str(status): _refusal(plan, status, codes[status]) for status in sorted(codes)}


def _refusal(plan: Plan, status: int, codes: Sequence[str]) -> dict[str, Any]:
    headers = ["X-Request-Id"]
    if status == 401:
        headers.append("WWW-Authenticate")
    if status in {429, 503}:
        headers.append("Retry-After")
    if status == 429 and plan.route.limits:
        headers += ["RateLimit", "RateLimit-Policy"]
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"code": {"enum": list(codes)}, "status": {"const": status}}},
        ]
    }
    return {
        "description": ", ".join(f"`{code}`" for code in codes),
        "headers": parts.header_refs(headers),
        "content": {"application/problem+json": {"schema": schema}},
    }


def _security(plan: Plan) -> list[dict[str, list[str]]]:
    if plan.route.auth == "public":
        return []
    return [{}, {"access_token": []}] if plan.route.auth == "optional" else [{"access_token": []}]


def _is_model(view: Any) -> bool:
    return isinstance(view, type) and issubclass(view, BaseModel)
