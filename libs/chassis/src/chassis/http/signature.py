"""Reads a handler's signature once, at start, into a plan of what to give it.

Invariant: a route whose signature cannot be served is an error at start, never at a request.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, get_args, get_origin
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from chassis.errors import PathNotFoundError
from chassis.http.moments import bare_times
from chassis.http.preconditions import IfMatch
from chassis.http.queries import QueryReader
from chassis.http.replies import Reply
from chassis.http.routes import Idempotency, Roles, Route, RouteError
from chassis.http.text import suspicious
from chassis.ids import parse_uuid

_BODIES: Final = {"POST", "PUT", "PATCH"}
_INT64_DIGITS: Final = 18
_BREAKS: Final = re.compile("[\n\x0b\x0c\x85]")
_IF_MATCH_OPTIONAL: Final = IfMatch | None
_NAMED: Final = {"tx", "app", "request"}  # given by name, whatever their type


@dataclass(frozen=True, slots=True)
class PathParameter:
    """One ``{name}`` of the template: how it is read, and its Python type for the documentation."""

    name: str
    read: Callable[[str], Any]
    kind: type


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one route needs, decided."""

    route: Route
    handler: Callable[..., Any]
    idempotency: Idempotency
    statuses: tuple[int, ...]
    view: Any
    path: tuple[PathParameter, ...]
    body: type[BaseModel] | None
    body_optional: bool
    body_raw: bool
    query: QueryReader
    query_model: type[BaseModel] | None
    query_name: str | None
    if_match: str | None
    if_match_required: bool
    gives: frozenset[str]

    @property
    def has_body(self) -> bool:
        return self.route.method in _BODIES

    @property
    def view_is_model(self) -> bool:
        return isinstance(self.view, type) and issubclass(self.view, BaseModel)

    @property
    def gives_tx(self) -> bool:
        return "tx" in self.gives

    @property
    def gives_request(self) -> bool:
        return "request" in self.gives

    @property
    def status(self) -> int:
        return self.statuses[0]

    @property
    def rows_of_caller(self) -> bool:
        chosen = self.route.rows_of_caller
        return not isinstance(self.route.auth, Roles) if chosen is None else chosen


def read_plan(route: Route) -> Plan:
    """Raises ``RouteError`` when the handler asks for something nobody can give."""
    handler = route.handler
    if not inspect.iscoroutinefunction(handler):
        raise RouteError(f"{route.name}: {handler.__name__} is not an async function")
    names = list(inspect.signature(handler).parameters)
    annotations = _annotations(handler, names, route)
    placeholders = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    if missing := set(placeholders) - set(names):
        raise RouteError(f"{route.name}: {handler.__name__} does not take {', '.join(sorted(missing))}")
    query_name = "query" if "query" in names else None
    query_model = _model(annotations.get("query"), route) if query_name else None
    body, optional, raw = _body(annotations.get("body"), route) if "body" in names else (None, False, False)
    if_match = next((name for name in names if annotations.get(name) in {IfMatch, _IF_MATCH_OPTIONAL}), None)
    known = {"request", "principal", "app", "tx", "query", "body", "idempotency_key", if_match, *placeholders}
    if unknown := [name for name in names if name not in known]:
        raise RouteError(f"{route.name}: nobody can give {', '.join(unknown)} to {handler.__name__}")
    view = _view(annotations["return"])
    plan = Plan(
        route=route,
        handler=handler,
        idempotency=_idempotency(route, names),
        statuses=route.statuses or _default_statuses(view, annotations["return"]),
        view=view,
        path=tuple(_path_parameter(name, annotations[name], route) for name in placeholders),
        body=body,
        body_optional=optional,
        body_raw=raw,
        query=QueryReader(query_model, _list_fields(query_model)),
        query_model=query_model,
        query_name=query_name,
        if_match=if_match,
        if_match_required=if_match is not None and annotations[if_match] is IfMatch,
        gives=frozenset(names),
    )
    _check(plan)
    return plan


def _check(plan: Plan) -> None:
    route = plan.route
    if plan.body is not None and route.method not in _BODIES:
        raise RouteError(f"{route.name}: {route.method} takes no body")
    for model in (plan.body, plan.query_model):
        if model is not None and bare_times(model):
            raise RouteError(f"{route.name}: a time in {model.__name__} is a Moment")
    if "principal" in plan.gives and route.auth == "public":
        raise RouteError(f"{route.name}: a public route has no principal")
    if any(limit.per_user for limit in route.limits) and route.auth == "public":
        raise RouteError(f"{route.name}: a public route is limited per address")


def _annotations(handler: Callable[..., Any], names: Sequence[str], route: Route) -> dict[str, Any]:
    try:
        annotations = inspect.get_annotations(handler, eval_str=True)
    except NameError as error:
        raise RouteError(f"{route.name}: {error.name} is not known at run time in {handler.__module__}") from error
    for name in (*names, "return"):
        if name not in annotations and name not in _NAMED:
            raise RouteError(f"{route.name}: {handler.__name__} does not annotate {name}")
    return annotations


def _idempotency(route: Route, names: Sequence[str]) -> Idempotency:
    takes_tx = "tx" in names
    if route.idempotency in {"required", "optional"} and not takes_tx:
        raise RouteError(f"{route.name}: a stored answer needs the handler's transaction, so it takes tx")
    if route.idempotency == "own" and "idempotency_key" not in names:
        raise RouteError(f"{route.name}: with its own idempotency it takes idempotency_key")
    if route.idempotency is not None:
        return route.idempotency
    return "optional" if route.method == "POST" and takes_tx else "none"


def _body(annotation: Any, route: Route) -> tuple[type[BaseModel] | None, bool, bool]:
    if annotation is bytes:
        return None, False, True
    members = [member for member in _members(annotation) if member is not type(None)]
    if len(members) != 1:
        raise RouteError(f"{route.name}: body is one model (a union goes inside a RootModel or a field)")
    return _model(members[0], route), type(None) in _members(annotation), False


def _model(annotation: Any, route: Route) -> type[BaseModel]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    raise RouteError(f"{route.name}: {annotation!r} is not a pydantic model")


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in {typing.Union, types.UnionType} else (annotation,)


def _view(annotation: Any) -> Any:
    for member in _members(annotation):
        inner = get_args(member)[0] if get_origin(member) is Reply else member
        for view in _members(inner):
            if isinstance(view, type) and issubclass(view, BaseModel):
                return view
            if isinstance(view, type) and issubclass(view, web.StreamResponse):
                return view
    return None


def _default_statuses(view: Any, annotation: Any) -> tuple[int, ...]:
    if view is None:
        return (204,)
    return (200, 204) if type(None) in _members(annotation) or None in _members(annotation) else (200,)


def _list_fields(model: type[BaseModel] | None) -> list[str]:
    if model is None:
        return []
    return [
        field.alias or name
        for name, field in model.model_fields.items()
        if any(get_origin(member) in {list, set, frozenset, tuple} for member in _members(field.annotation))
    ]


def _path_parameter(name: str, annotation: Any, route: Route) -> PathParameter:
    kind = annotation
    while hasattr(kind, "__supertype__"):
        kind = kind.__supertype__
    if get_origin(kind) is typing.Annotated:
        kind = get_args(kind)[0]
    if kind is UUID:
        return PathParameter(name, _read_uuid, UUID)
    if kind is int:
        return PathParameter(name, _read_int, int)
    if kind is str:
        return PathParameter(name, _read_str, str)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return PathParameter(name, _enum_reader(kind), kind)
    raise RouteError(f"{route.name}: {name} is UUID, int, str or an enum")


def _read_uuid(text: str) -> UUID:
    try:
        return parse_uuid(text)
    except ValueError:
        raise PathNotFoundError("no such id") from None


def _read_int(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _INT64_DIGITS):
        raise PathNotFoundError("no such number")
    return int(text)


def _read_str(text: str) -> str:
    if len(text) > 256 or suspicious(text) or _BREAKS.search(text):
        raise PathNotFoundError("no such name")
    return text


def _enum_reader(kind: type[Enum]) -> Callable[[str], Any]:
    members = {str(member.value): member for member in kind}

    def read(text: str) -> Any:
        member = members.get(text)
        if member is None:
            raise PathNotFoundError("no such name")
        return member

    return read
