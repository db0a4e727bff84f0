"""Builds a service's aiohttp application from its route table.

No aiohttp middleware is used: each route's handler is complete, and what no route answers (404, 405, OPTIONS) has
handlers of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from chassis.errors import MethodNotAllowedError, PathNotFoundError
from chassis.http.access import AccessLog
from chassis.http.addresses import Addresses
from chassis.http.endpoint import Begin, Edge, Endpoint
from chassis.http.fallback import Fallback
from chassis.http.limiting import Limits
from chassis.http.openapi import CHASSIS_ERRORS, build_openapi, render_openapi
from chassis.http.problems import Problems
from chassis.http.routes import BODY_BYTES_MAX, Route, RouteError, Routes
from chassis.http.signature import Plan, read_plan
from chassis.http.titles import Titles
from chassis.limits import RateLimiter
from chassis.postgres import Database
from chassis.settings import ServiceSettings
from chassis.tokens import TokenVerifier

_PLACEHOLDER = re.compile(r"\{[^}]+\}")


def make_app(
    name: str,
    routes: Sequence[Routes],
    *,
    app: Any,
    begin: Begin | None = None,
    database: Database | None = None,
    redis: Redis | None = None,
    verifier: TokenVerifier | None = None,
    settings: ServiceSettings | None = None,
    problem_titles: Titles | None = None,
    access_log: bool = True,
) -> web.Application:
    """The application: every route of the table, ``/openapi.json``, and problems for the rest.

    Raises ``RouteError`` for a route that cannot be served.
    """
    plans = [read_plan(route) for table in routes for route in table]
    _check_parts(plans, begin=begin, verifier=verifier, redis=redis)
    access = AccessLog(enabled=access_log, fmt=settings.log_format if settings else "json")
    problems = Problems(problem_titles)
    edge = Edge(
        app=app,
        begin=begin,
        database=database,
        verifier=verifier,
        limits=Limits(RateLimiter(redis, prefix=f"{name}:limits")) if redis is not None else None,
        problems=problems,
        access=access,
        addresses=Addresses(settings.trusted_proxies if settings else ""),
        documented=frozenset(error.code for error in CHASSIS_ERRORS),
    )
    application = web.Application(client_max_size=BODY_BYTES_MAX)
    document = render_openapi(build_openapi(name, routes))
    fallback = Fallback(problems, access)
    application.router.add_get("/openapi.json", fallback.document(document))
    application.router.add_route("*", "/openapi.json", fallback.refusing(MethodNotAllowedError, ["GET", "HEAD"]))
    for path, by_method in _resources(plans):
        _add(application, path, by_method, edge, fallback)
    application.router.add_route("*", "/{tail:.*}", fallback.refusing(PathNotFoundError, []))
    return application


def _add(application: web.Application, path: str, plans: Mapping[str, Plan], edge: Edge, fallback: Fallback) -> None:
    added = application.router.add_resource(path)
    methods = sorted(plans)
    if "GET" in methods:
        methods.append("HEAD")
    for method, plan in plans.items():
        handle = Endpoint(plan, edge).handle
        added.add_route(method, handle)
        if method == "GET":
            added.add_route("HEAD", handle)
    added.add_route("OPTIONS", fallback.options([*methods, "OPTIONS"]))
    added.add_route("*", fallback.refusing(MethodNotAllowedError, [*methods, "OPTIONS"]))


def _resources(plans: Sequence[Plan]) -> list[tuple[str, dict[str, Plan]]]:
    """Plans by shape of path and method; shapes with literal segments come before those with placeholders."""
    found: dict[str, dict[str, Plan]] = {}
    for plan in plans:
        by_method = found.setdefault(_shape(plan.route.path), {})
        if by_method.setdefault(plan.route.method, plan) is not plan:
            raise RouteError(f"{plan.route.name} is there twice")
    return sorted(found.items(), key=lambda each: [part.startswith("{") for part in each[0].split("/")])


def _shape(template: str) -> str:
    """``/v1/shops/{shop_id}/products`` → ``/v1/shops/{p0}/products``: names differ, paths do not."""
    slots = iter(range(template.count("{")))
    return _PLACEHOLDER.sub(lambda _: f"{{p{next(slots)}}}", template)


def _check_parts(
    plans: Sequence[Plan], *, begin: Begin | None, verifier: TokenVerifier | None, redis: Redis | None
) -> None:
    for plan in plans:
        route: Route = plan.route
        if plan.gives_tx and begin is None:
            raise RouteError(f"{route.name} takes tx, and make_app was given no begin")
        if route.auth != "public" and verifier is None:
            raise RouteError(f"{route.name} needs a token, and make_app was given no verifier")
        if route.limits and redis is None:
            raise RouteError(f"{route.name} has a limit, and make_app was given no redis")
