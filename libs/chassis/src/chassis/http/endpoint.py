"""One route, served: from the header to the finished answer.

Everything that can be decided at start is decided in the constructor; a request runs straight through. This is the
hot path of every service (bench/chassis_overhead.py), so it stays in one file and calls little.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from aiohttp import web
from multidict import CIMultiDict
from pydantic import BaseModel

from chassis import idempotency
from chassis.errors import (
    HeaderMalformedError,
    IdempotencyInFlightError,
    IdempotencyKeyMissingError,
    IdempotencyKeyReusedError,
)
from chassis.http.access import AccessLines, AccessLog
from chassis.http.addresses import Addresses
from chassis.http.answers import GZIP_BYTES_MIN, JSON, Answer
from chassis.http.bodies import check_no_body, parse_body, read_body
from chassis.http.limiting import Limits
from chassis.http.preconditions import none_match, parse_if_match, with_body
from chassis.http.problems import Problems, refusal_of, status_of
from chassis.http.quick import QuickHeads, QuickResponse
from chassis.http.rendering import render_any, renderer_of
from chassis.http.replies import Reply
from chassis.http.routes import Roles
from chassis.http.signature import Plan
from chassis.idempotency import Claim, KeyTakenError, StoredAnswer
from chassis.postgres import Database
from chassis.telemetry import metrics
from chassis.telemetry.tracing import enter_span
from chassis.tokens import Principal, RoleMissingError, TokenMissingError, TokenVerifier
from kernel.correlation import enter
from kernel.errors import DomainError

Begin = Callable[[UUID | None], AbstractAsyncContextManager[Any]]

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{8,128}")
_IDEMPOTENCY_KEY: Final = re.compile(r'"?[\x21\x23-\x5b\x5d-\x7e]{1,255}"?')
_NOT_KEPT: Final = {401, 429, 500, 503}
_CLOSING: Final = {413}  # the rest of the body is not read


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What all routes of a service share."""

    app: Any
    begin: Begin | None
    database: Database | None
    verifier: TokenVerifier | None
    limits: Limits | None
    problems: Problems
    access: AccessLog
    addresses: Addresses
    documented: frozenset[str]


class Request:
    """What is known of the request being handled."""

    __slots__ = ("http", "key", "limit_headers", "principal", "request_id", "size")

    def __init__(self, http: web.Request, request_id: str) -> None:
        self.http = http
        self.request_id = request_id
        self.principal: Principal | None = None
        self.key: str | None = None
        self.limit_headers: dict[str, str] | None = None
        self.size = 0


def given_request_id(http: web.BaseRequest) -> str | None:
    """The id that the client gave; None when it gave none that can be taken."""
    given = http.headers.get("X-Request-Id")
    return given if given is not None and _REQUEST_ID.fullmatch(given) else None


class Endpoint:
    """Serves one route."""

    def __init__(self, plan: Plan, edge: Edge) -> None:
        self._plan, self._edge = plan, edge
        route = plan.route
        self._name = route.name
        self._attributes = {"http.request.method": route.method, "http.route": route.path}
        self._access = AccessLines(edge.access, route.method, route.path)
        self._handler = plan.handler
        self._verifier = edge.verifier if route.auth != "public" else None
        self._roles = route.auth.names if isinstance(route.auth, Roles) else None
        self._token_required = route.auth not in {"public", "optional"}
        self._limits, self._limited_by = edge.limits if route.limits else None, route.limits
        self._path = [(f"p{index}", parameter.name, parameter.read) for index, parameter in enumerate(plan.path)]
        self._read_query, self._query_name = plan.query.read, plan.query_name
        self._takes_key = plan.idempotency in {"required", "optional", "own"}
        self._key_required = plan.idempotency in {"required", "own"}
        self._stores = plan.idempotency in {"required", "optional"}
        self._has_body = plan.has_body and not (plan.body is None and plan.gives_request and not plan.body_raw)
        self._if_match = plan.if_match
        self._gives = [name for name in ("request", "principal", "app", "idempotency_key") if name in plan.gives]
        self._gives_tx = plan.gives_tx
        self._status = plan.status
        self._render_view = renderer_of(plan.view) if plan.view_is_model else render_any
        self._documented = frozenset(error.code for error in route.errors) | edge.documented
        self._fixed = _fixed_headers(plan)
        self._heads = QuickHeads(self._fixed)

    async def handle(self, http: web.Request) -> web.StreamResponse:
        """aiohttp's handler."""
        started = time.perf_counter()
        headers = http.headers
        span = enter_span(headers.get("traceparent"), self._name, self._attributes)
        request_id = given_request_id(http) or span.trace_id
        request = Request(http, request_id)
        enter(request_id)
        try:
            answer = await self._carry_out(request)
        except web.HTTPException as error:
            answer = error if error.status < 400 else self._refuse(request, refusal_of(error))
        except Exception as error:  # noqa: BLE001 -- whatever it is, the client gets a problem
            answer = self._refuse(request, refusal_of(error))
        response = self._respond(request, answer) if isinstance(answer, Answer) else answer
        if not response.prepared:
            response.headers["X-Request-Id"] = request_id
        status = response.status
        span.finish(status)
        principal = request.principal
        self._access.note(
            started, status, request.size, request_id, span.trace_id, None if principal is None else principal.user_id
        )
        return response

    def _respond(self, request: Request, answer: Answer) -> web.StreamResponse:
        if request.limit_headers:
            answer.headers = {**request.limit_headers, **(answer.headers or {})}
        body = answer.body
        if body is not None:
            request.size = len(body)
            if request.size < GZIP_BYTES_MIN and answer.status not in _CLOSING and self._heads.suits(request.http):
                block = self._heads.block(answer.status, answer.content_type, request.request_id, body, answer.headers)
                if block is not None:
                    return QuickResponse(answer.status, block)
        response = answer.to_response(request.http.headers.get("Accept-Encoding"), self._fixed)
        if answer.status in _CLOSING:
            response.force_close()
        return response

    async def _carry_out(self, request: Request) -> Answer | web.StreamResponse:  # noqa: C901, PLR0912
        http = request.http
        if self._verifier is not None:
            authorization = http.headers.get("Authorization")
            if authorization is not None and authorization[:7] == "Bearer ":
                request.principal = self._verifier.recall(authorization[7:])
            if request.principal is None and (authorization is not None or self._token_required):
                await self._authenticate(request, self._verifier, authorization)
            if self._roles is not None:
                self._check_roles(request.principal)
        if self._limits is not None:
            address = self._edge.addresses.client_of(http)
            request.limit_headers = await self._limits.check(self._limited_by, request.principal, address)
        given: dict[str, Any] = {}
        if self._path:
            match = http.match_info
            for slot, name, read in self._path:
                given[name] = read(match[slot])
        query = self._read_query(http)
        if self._query_name is not None:
            given["query"] = query
        if self._takes_key:
            request.key = self._idempotency_key(http)
        if self._if_match is not None:
            header = http.headers.get("If-Match")
            given[self._if_match] = parse_if_match(header, required=self._plan.if_match_required)
        document = await self._read_body(http, given) if self._has_body else None
        for name in self._gives:
            given[name] = self._part(name, request)
        if self._gives_tx:
            answer = await self._in_transaction(request, given, document)
        else:
            answer = self._render(await self._handler(**given))
        if isinstance(answer, Answer) and answer.headers and "ETag" in answer.headers:
            return _not_modified(http, answer) or answer
        return answer

    def _part(self, name: str, request: Request) -> Any:
        if name == "principal":
            return request.principal
        if name == "app":
            return self._edge.app
        return request.http if name == "request" else request.key

    async def _authenticate(self, request: Request, verifier: TokenVerifier, authorization: str | None) -> None:
        if authorization is None or authorization[:7].lower() != "bearer ":
            raise TokenMissingError("send an access token: Authorization: Bearer …")
        request.principal = await verifier.verify(authorization[7:])

    def _check_roles(self, principal: Principal | None) -> None:
        if principal is None or self._roles is None or self._roles.isdisjoint(principal.roles):
            raise RoleMissingError("this needs a role that the caller does not have")

    def _idempotency_key(self, http: web.Request) -> str | None:
        keys = http.headers.getall("Idempotency-Key", ())
        if len(keys) > 1:
            raise HeaderMalformedError("send one Idempotency-Key")
        key = keys[0] if keys else None
        if key is None:
            if self._key_required:
                raise IdempotencyKeyMissingError("send an Idempotency-Key header: a fresh UUID for each new request")
            return None
        if not _IDEMPOTENCY_KEY.fullmatch(key):
            raise HeaderMalformedError("Idempotency-Key has 1 to 255 visible ASCII characters")
        return key.strip('"')

    async def _read_body(self, http: web.Request, given: dict[str, Any]) -> Any:
        plan = self._plan
        raw = await read_body(http, plan.route.body_bytes_max)
        if plan.body_raw:
            given["body"] = raw
            return raw
        if plan.body is None:
            check_no_body(raw)
            return None
        if not raw and plan.body_optional:
            given["body"] = None
            return None
        given["body"], document = parse_body(plan.body, http.headers.get("Content-Type"), raw)
        return document

    async def _in_transaction(
        self, request: Request, given: dict[str, Any], document: Any
    ) -> Answer | web.StreamResponse:
        plan, begin = self._plan, self._edge.begin
        assert begin is not None  # noqa: S101 -- make_app refuses such routes without one
        principal = request.principal
        user_id = principal.user_id if principal is not None and plan.rows_of_caller else None
        if request.key is None or not self._stores:
            async with begin(user_id) as tx:
                return self._render(await plan.handler(**given, tx=tx))
        claim = _claim(request, self._name, document)
        try:
            return await self._once(claim, user_id, given)
        except KeyTakenError:
            return await self._once(claim, user_id, given)
        except DomainError as error:
            if plan.idempotency != "required" or not _is_kept(error):
                raise
            return await self._keep_refusal(request, claim, error)

    async def _once(self, claim: Claim, user_id: UUID | None, given: dict[str, Any]) -> Answer:
        """Claim, effect and stored answer in one transaction; or the answer of the first time."""
        assert self._edge.begin is not None  # noqa: S101 -- as above
        with idempotency.taken():
            async with self._edge.begin(user_id) as tx:
                stored = await idempotency.look(tx.conn, claim)
                if stored is not None:
                    return _replayed(stored)
                answer = self._render(await self._plan.handler(**given, tx=tx))
                if not isinstance(answer, Answer):
                    raise TypeError(f"{self._name}: a stream cannot be stored for its idempotency key")
                await idempotency.store(tx.conn, claim, _storable(answer))
        return answer

    async def _keep_refusal(self, request: Request, claim: Claim, error: DomainError) -> Answer:
        """The effect was rolled back; the key stays failed."""
        answer = self._refuse(request, error)
        database = self._edge.database
        if database is None:
            return answer
        async with database.begin() as conn:
            stored = await idempotency.settle_refusal(conn, claim, _storable(answer))
        return answer if stored is None else _replayed(stored)

    def _render(self, result: Any) -> Answer | web.StreamResponse:
        if isinstance(result, BaseModel):
            return Answer(self._status, self._render_view(result))
        if result is None:
            return Answer(204 if self._plan.view is not None else self._plan.status, None)
        if isinstance(result, Reply):
            return self._render_reply(result)
        if isinstance(result, web.StreamResponse):
            return result
        raise TypeError(f"{self._name} answered {type(result).__name__}, which is not a view")

    def _render_reply(self, reply: Reply[Any]) -> Answer:
        headers = dict(reply.headers)
        if reply.location is not None:
            headers["Location"] = reply.location
        view = reply.view
        body = None if view is None else self._render_view(view)
        if reply.etag is not None:
            headers["ETag"] = with_body(reply.etag, body or b"")
        if any(not value.isprintable() for value in headers.values()):
            raise ValueError(f"{self._name}: a header has a control character")
        default = 204 if view is None and self._plan.status == 200 else self._plan.status
        return Answer(reply.status or default, body, headers.pop("Content-Type", JSON), headers)

    def _refuse(self, request: Request, error: DomainError) -> Answer:
        code = error.code
        if code not in self._documented:
            self._edge.access.undocumented(self._name, code)
            metrics.problems.labels("undocumented").inc()
        else:
            metrics.problems.labels(code).inc()
        return self._edge.problems.render(error, request.http, request_id=request.request_id)


def _fixed_headers(plan: Plan) -> CIMultiDict[str]:
    headers = {"Server": "sampan", "Vary": "Accept-Language"}
    if plan.route.auth != "public":
        headers["Cache-Control"] = "no-store"
    if plan.route.deprecated:
        headers["Deprecation"] = plan.route.deprecated
    if plan.route.sunset:
        headers["Sunset"] = plan.route.sunset
    return CIMultiDict(headers)


def _claim(request: Request, route: str, document: Any) -> Claim:
    principal, http = request.principal, request.http
    body = document if isinstance(document, bytes) else orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    assert request.key is not None  # noqa: S101 -- the caller has checked
    return Claim(
        subject=str(principal.user_id) if principal else "",
        route=route,
        key=request.key,
        fingerprint=idempotency.fingerprint_of(http.raw_path.encode(), body),
    )


def _storable(answer: Answer) -> StoredAnswer:
    return StoredAnswer(answer.status, answer.content_type, answer.headers or {}, answer.body or b"")


def _replayed(stored: StoredAnswer) -> Answer:
    headers = {**stored.headers, idempotency.REPLAYED_HEADER: "true"}
    return Answer(stored.status, stored.body or None, stored.content_type, headers)


def _is_kept(error: DomainError) -> bool:
    """Whether a refusal is the key's answer for good. What passes by itself, or is about the key, is not."""
    if isinstance(error, IdempotencyInFlightError | IdempotencyKeyReusedError):
        return False
    return status_of(error) not in _NOT_KEPT


def _not_modified(http: web.Request, answer: Answer) -> Answer | None:
    wanted = http.headers.get("If-None-Match")
    if wanted is None or http.method not in {"GET", "HEAD"} or answer.status != 200:
        return None
    headers = answer.headers or {}
    if not none_match(wanted, headers["ETag"]):
        return None
    return Answer(304, None, headers={"ETag": headers["ETag"]}, size=len(answer.body or b""))
