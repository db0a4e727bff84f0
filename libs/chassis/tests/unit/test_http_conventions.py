"""The conventions of the API as a client meets them: headers, methods, languages, compression, conditions."""

from __future__ import annotations

import asyncio
import gzip
import re
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import asyncpg
import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import Field, field_serializer

from chassis.http import (
    Body,
    IfMatch,
    MoneyView,
    Page,
    RateLimit,
    Reply,
    RouteError,
    Routes,
    View,
    etag_of,
    make_app,
    roles,
)
from chassis.http.preconditions import version_in
from chassis.http.rendering import renderer_of
from chassis.ids import parse_uuid
from chassis.tokens import Principal, TokenVerifier
from kernel.correlation import causation_id, correlation_id
from kernel.errors import DomainError, Kind
from kernel.money import Currency
from testkit.forged import forged_tokens, forgeries
from testkit.issuer import TokenIssuer
from testkit.serving import Client, serving

routes = Routes(tag="conventions")


class ClosedError(DomainError):
    code: ClassVar[str] = "shop.closed"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "The shop is closed"


class Pet(View):
    name: str


class EditBody(Body):
    name: str


@routes.get("/v1/pets/{name}", auth="public", errors=(ClosedError,))
async def get_pet(name: str) -> Reply[Pet]:
    if name == "closed":
        raise ClosedError("come back at nine", pointer="/name", context={"opens_at": 9})
    return Reply(Pet(name=name * (5000 if name == "x" else 1)), etag=etag_of(7))


@routes.get("/v1/pets/{name}/words", auth="public")
async def get_words(request: web.Request, name: str) -> Reply[Pet]:
    return Reply(Pet(name=f"{name} {request.headers['Accept-Language']}"), etag=etag_of(7))


@routes.patch("/v1/pets/{name}", auth="public")
async def edit_pet(name: str, body: EditBody, if_match: IfMatch) -> Pet:
    if_match.check(7)
    return Pet(name=body.name)


@routes.put("/v1/cats/{name}", auth="public")
async def replace_cat(name: str, body: EditBody, if_match: IfMatch | None) -> Pet:
    if if_match is not None:
        if_match.check(7)
    return Pet(name=body.name)


@routes.delete("/v1/pets/{name}", auth="public")
async def delete_pet(name: str) -> None:
    return None


@routes.get("/v1/pets/favourite", auth="public")
async def favourite() -> Pet:
    return Pet(name="the favourite")


@routes.get("/v1/fails/{how}", auth="public")
async def fail(how: str) -> Pet:
    errors: dict[str, Exception] = {
        "bug": ZeroDivisionError("SELECT secret FROM somewhere"),
        "connection": asyncpg.ConnectionDoesNotExistError("connection was closed"),
        "deadlock": asyncpg.DeadlockDetectedError("deadlock detected"),
        "lock": asyncpg.LockNotAvailableError("lock timeout"),
        "timeout": TimeoutError(),
        "refused": ConnectionRefusedError(),
        "sql": asyncpg.UndefinedColumnError('column "x" does not exist'),
    }
    raise errors[how]


@routes.get("/v1/me", auth="user")
async def me(principal: Principal) -> Pet:
    return Pet(name=f"{principal.user_id} {correlation_id()} {causation_id()}")


@routes.get("/v1/maybe", auth="optional")
async def maybe(principal: Principal | None) -> Pet:
    return Pet(name="nobody" if principal is None else str(principal.user_id))


@routes.get("/v1/ops/things", auth=roles("ops", "admin"))
async def ops_things() -> Pet:
    return Pet(name="for operators")


@routes.get("/v1/old", auth="public", deprecated="@1767225600", sunset="Thu, 31 Dec 2026 23:59:59 GMT")
async def old() -> Reply[Pet]:
    return Reply(Pet(name="old"), headers={"Cache-Control": "max-age=60", "X-More": "yes"})


@routes.get("/v1/splitting", auth="public")
async def splitting() -> Reply[Pet]:
    return Reply(Pet(name="x"), headers={"X-More": "a\r\nSet-Cookie: b"})


@routes.post("/v1/raw", auth="public")
async def raw(body: bytes, request: web.Request) -> Pet:
    return Pet(name=f"{len(body)} {request.headers['Content-Type']}")


@routes.get("/v1/stream", auth="public")
async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"in pieces")
    return response


class NothingRevoked:
    def __init__(self) -> None:
        self.revoked: set[UUID] = set()

    def is_revoked(self, session_id: UUID) -> bool:
        return session_id in self.revoked


TITLES = {"shop.closed": {"th": "ร้านปิดแล้ว", "vi": "Cửa hàng đã đóng"}}
revocations = NothingRevoked()
the_issuer = TokenIssuer()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def call() -> AsyncIterator[Client]:
    verifier = TokenVerifier("", "sampan-auth", "sampan", revocations, fetch=the_issuer.fetch)  # type: ignore[arg-type]
    app = make_app("pets", [routes], app=None, verifier=verifier, problem_titles=TITLES, access_log=False)
    async with serving(app) as client:
        yield client


async def test_a_problem_says_it_all(call: Client) -> None:
    answer = await call(
        "GET", "/v1/pets/closed", headers={"Accept-Language": "th-TH,th;q=0.9", "X-Request-Id": "req-12345"}
    )
    assert answer.status == 409
    assert answer.json == {
        "type": "/docs/problems/shop.closed",
        "title": "ร้านปิดแล้ว",
        "status": 409,
        "code": "shop.closed",
        "detail": "come back at nine",
        "request_id": "req-12345",
        "errors": [{"pointer": "/name", "code": "shop.closed", "detail": "come back at nine"}],
        "context": {"opens_at": 9},
    }
    assert answer.headers["Content-Language"] == "th"
    assert answer.headers["X-Request-Id"] == "req-12345"


async def test_a_language_without_a_title_gets_english(call: Client) -> None:
    answer = await call("GET", "/v1/pets/closed", headers={"Accept-Language": "ms"})
    assert (answer.json["title"], answer.headers["Content-Language"]) == ("The shop is closed", "en")


@pytest.mark.parametrize("given", ["", "short", "x" * 129, 'quote"quote', "späce räq", "a b c d e f"])
async def test_a_request_id_that_is_none_is_replaced(call: Client, given: str) -> None:
    answer = await call("GET", "/v1/pets/a", headers={"X-Request-Id": given})
    assert len(answer.headers["X-Request-Id"]) == 32


async def test_traceparent_is_honoured(call: Client) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await call("GET", "/v1/pets/a", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
    assert answer.headers["X-Request-Id"] == trace_id
    for wrong in ("00-0-0-01", f"ff-{trace_id}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01"):
        answer = await call("GET", "/v1/pets/a", headers={"traceparent": wrong})
        assert answer.headers["X-Request-Id"] != trace_id
        assert answer.headers["X-Request-Id"].strip("0")


async def test_the_request_is_the_flow(call: Client) -> None:
    user_id = uuid.uuid4()
    answer = await call("GET", "/v1/me", token=the_issuer.token_for(user_id), headers={"X-Request-Id": "flow-0001"})
    assert answer.json["name"] == f"{user_id} flow-0001 flow-0001"


async def test_methods(call: Client) -> None:
    refused = await call("PUT", "/v1/pets/a", {})
    assert (refused.status, refused.code) == (405, "request.method.not_allowed")
    assert set(refused.headers["Allow"].split(", ")) == {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}
    options = await call("OPTIONS", "/v1/pets/a")
    assert (options.status, options.content) == (204, b"")
    assert set(options.headers["Allow"].split(", ")) == {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}
    head, get = await call("HEAD", "/v1/pets/a"), await call("GET", "/v1/pets/a")
    assert (head.status, head.content) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"] == str(len(get.content))
    assert head.headers["ETag"] == get.headers["ETag"]
    assert (await call("BREW", "/v1/pets/a")).status in {400, 405}
    assert (await call("DELETE", "/v1/pets/a")).status == 204


async def test_a_literal_path_wins_over_a_placeholder(call: Client) -> None:
    assert (await call("GET", "/v1/pets/favourite")).json == {"name": "the favourite"}


async def test_etag_and_conditions(call: Client) -> None:
    etag = (await call("GET", "/v1/pets/a")).headers["ETag"]
    assert re.fullmatch(r'"7\.[0-9a-f]{16}"', etag)
    for same in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = await call("GET", "/v1/pets/a", headers={"If-None-Match": same})
        assert (answer.status, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert (await call("GET", "/v1/pets/a", headers={"If-None-Match": '"8"'})).status == 200
    for good in (etag, "*", f'"1", {etag}', '"7"', '"7.0"'):
        answer = await call("PATCH", "/v1/pets/a", {"name": "b"}, headers={"If-Match": good})
        assert (answer.status, answer.json) == (200, {"name": "b"})
    for stale in ({"If-Match": '"8"'}, {"If-Match": f"W/{etag}"}, {"If-Match": "7"}, {"If-Match": '"77"'}, {}):
        answer = await call("PATCH", "/v1/pets/a", {"name": "b"}, headers=stale)
        assert (answer.status, answer.code) == (412, "request.precondition.failed")


async def test_a_version_may_be_left_out_where_the_route_says_so(call: Client) -> None:
    for headers, status in (
        ({}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"7"'}, 200),
        ({"If-Match": '"8"'}, 412),
    ):
        answer = await call("PUT", "/v1/cats/a", {"name": "b"}, headers=headers)
        assert answer.status == status


async def test_a_copy_is_current_only_while_it_says_the_same(call: Client) -> None:
    """The same version, other words: by who bought meanwhile, or by language."""
    first = await call("GET", "/v1/pets/a/words", headers={"Accept-Language": "en"})
    same = {"If-None-Match": first.headers["ETag"], "Accept-Language": "en"}
    assert (await call("GET", "/v1/pets/a/words", headers=same)).status == 304
    told = await call("GET", "/v1/pets/a/words", headers={**same, "Accept-Language": "th"})
    assert (told.status, told.json) == (200, {"name": "a th"})
    assert told.headers["ETag"] != first.headers["ETag"]
    assert version_in(told.headers["ETag"]) == version_in(first.headers["ETag"]) == "7"


async def test_what_is_kept_by_others_varies_with_the_language(call: Client) -> None:
    etag = (await call("GET", "/v1/pets/a")).headers["ETag"]
    for path, headers in (("/v1/pets/a", {}), ("/v1/pets/a", {"If-None-Match": etag}), ("/v1/nowhere", {})):
        assert (await call("GET", path, headers=headers)).headers["Vary"] == "Accept-Language"


async def test_gzip_where_it_pays(call: Client) -> None:
    async def get(name: str, encoding: str) -> Any:
        async with call.session.get(
            f"{call.base_url}/v1/pets/{name}", headers={"Accept-Encoding": encoding}, auto_decompress=False
        ) as answer:
            return answer.headers, await answer.read()

    headers, content = await get("x", "gzip, br")
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Vary"] == "Accept-Language, Accept-Encoding"
    assert orjson.loads(gzip.decompress(content)) == {"name": "x" * 5000}
    assert len(content) < 200
    for encoding in ("identity", "br", "gzip;q=0"):
        headers, content = await get("x", encoding)
        assert "Content-Encoding" not in headers
        assert orjson.loads(content) == {"name": "x" * 5000}
    headers, _ = await get("a", "gzip")
    assert "Content-Encoding" not in headers


async def test_what_is_compressed_has_a_tag_of_its_own_and_either_is_current_for_both(call: Client) -> None:
    plain, packed = {"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip"}
    tags = [(await call("GET", "/v1/pets/x", headers=each)).headers["ETag"] for each in (plain, packed)]
    assert tags[1] == tags[0].removesuffix('"') + '-gzip"'
    for tag in (*tags, f"W/{tags[1]}"):
        for how, own in zip((plain, packed), tags, strict=True):
            answer = await call("GET", "/v1/pets/x", headers={**how, "If-None-Match": tag})
            assert (answer.status, answer.headers["ETag"]) == (304, own)
            assert answer.headers["Vary"] == "Accept-Language, Accept-Encoding"
    for tag in tags:
        assert (await call("PATCH", "/v1/pets/x", {"name": "b"}, headers={"If-Match": tag})).status == 200
    [short] = {(await call("GET", "/v1/pets/a", headers=each)).headers["ETag"] for each in (plain, packed)}
    assert not short.endswith('-gzip"')


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("bug", 500, "internal.error"),
        ("sql", 500, "internal.error"),
        ("connection", 503, "service.unavailable"),
        ("deadlock", 503, "service.unavailable"),
        ("lock", 503, "service.unavailable"),
        ("timeout", 503, "service.unavailable"),
        ("refused", 503, "service.unavailable"),
    ],
)
async def test_failures_tell_nothing_of_the_inside(call: Client, how: str, status: int, code: str) -> None:
    answer = await call("GET", f"/v1/fails/{how}")
    assert (answer.status, answer.code) == (status, code)
    assert ("Retry-After" in answer.headers) == (status == 503)
    for inside in (b"secret", b"SELECT", b"Traceback", b"Error", b"deadlock", b"column"):
        assert inside not in answer.content


async def test_tokens_at_the_edge(call: Client) -> None:
    user_id, session_id = uuid.uuid4(), uuid.uuid4()
    token = the_issuer.token_for(user_id, session_id=session_id)
    assert (await call("GET", "/v1/me", token=token)).status == 200
    missing = await call("GET", "/v1/me")
    assert (missing.status, missing.code) == (401, "auth.token.missing")
    assert missing.headers["WWW-Authenticate"] == 'Bearer realm="sampan"'
    for scheme in ("Basic dXNlcjpwYXNz", "Bearer", "bearer ", token):
        answer = await call("GET", "/v1/me", headers={"Authorization": scheme})
        assert answer.status == 401
    assert (await call("GET", "/v1/me", headers={"Authorization": f"bearer {token}"})).status == 200
    expired = await call("GET", "/v1/me", token=the_issuer.token_for(user_id, lifetime_s=-5))
    assert (expired.status, expired.code) == (401, "auth.token.expired")
    assert 'error="invalid_token"' in expired.headers["WWW-Authenticate"]
    revocations.revoked.add(session_id)
    revoked = await call("GET", "/v1/me", token=token)
    assert (revoked.status, revoked.code) == (401, "auth.token.revoked")


async def test_optional_and_roles(call: Client) -> None:
    user_id = uuid.uuid4()
    assert (await call("GET", "/v1/maybe")).json == {"name": "nobody"}
    assert (await call("GET", "/v1/maybe", token=the_issuer.token_for(user_id))).json == {"name": str(user_id)}
    assert (await call("GET", "/v1/maybe", token="x.y.z")).status == 401
    refused = await call("GET", "/v1/ops/things", token=the_issuer.token_for(user_id, roles=("user",)))
    assert (refused.status, refused.code) == (403, "auth.role.missing")
    assert (await call("GET", "/v1/ops/things", token=the_issuer.token_for(user_id, roles=("admin",)))).status == 200
    assert (await call("GET", "/v1/ops/things")).status == 401


async def test_no_forged_token_gets_in(call: Client) -> None:
    user_id = uuid.uuid4()
    made = forgeries(the_issuer, user_id)
    made |= {
        f"{name} (public)": token
        for name, token in forged_tokens(the_issuer.token_for(user_id), the_issuer.jwks()).items()
    }
    assert len(made) >= 120
    for name, token in made.items():
        if not token.isprintable() or len(token) > 8000:
            continue
        answer = await call("GET", "/v1/me", token=token)
        assert answer.status == 401, name
        assert answer.code in {"auth.token.invalid", "auth.token.expired", "auth.token.missing"}, name


async def test_deprecation_and_headers_of_a_reply(call: Client) -> None:
    answer = await call("GET", "/v1/old")
    assert answer.headers["Deprecation"] == "@1767225600"
    assert answer.headers["Sunset"].endswith("GMT")
    assert (answer.headers["Cache-Control"], answer.headers["X-More"]) == ("max-age=60", "yes")


async def test_a_header_cannot_split_the_answer(call: Client) -> None:
    answer = await call("GET", "/v1/splitting")
    assert answer.status == 500
    assert "Set-Cookie" not in answer.headers


async def test_raw_bodies_and_streams(call: Client) -> None:
    answer = await call("POST", "/v1/raw", raw=b"\xff\x00", headers={"Content-Type": "text/odd"})
    assert answer.json == {"name": "2 text/odd"}
    assert (await call("GET", "/v1/stream")).content == b"in pieces"


async def test_http_1_0_and_closing_connections(call: Client) -> None:
    host, _, port = call.base_url.removeprefix("http://").partition(":")

    async def exchange(request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return answer

    old_style = await exchange(b"GET /v1/pets/a HTTP/1.0\r\n\r\n")
    assert old_style.startswith(b"HTTP/1.0 200")
    assert old_style.endswith(b'{"name":"a"}')
    closing = await exchange(b"GET /v1/pets/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"Connection: close" in closing
    one = b"GET /v1/pets/%s HTTP/1.1\r\nHost: x\r\n"
    piped = await exchange(one % b"a" + b"\r\n" + one % b"b" + b"\r\n" + one % b"c" + b"Connection: close\r\n\r\n")
    assert [part[:12] for part in piped.split(b"HTTP/1.1 200 OK")[1:]] == [b"\r\nServer: sa"] * 3
    assert [piped.index(name) for name in (b'"a"', b'"b"', b'"c"')] == sorted(
        piped.index(n) for n in (b'"a"', b'"b"', b'"c"')
    )


async def test_the_openapi_document_is_served(call: Client) -> None:
    answer = await call("GET", "/openapi.json")
    assert answer.json["openapi"] == "3.1.0"
    etag = answer.headers["ETag"]
    assert (await call("GET", "/openapi.json", headers={"If-None-Match": etag})).status == 304
    assert (await call("POST", "/openapi.json", {})).status == 405


class Kindness(StrEnum):
    KIND = "kind"


class Everything(View):
    id: UUID
    at: datetime
    names: list[str]
    more: dict[str, int | None]
    kind: Kindness
    ratio: float
    price: MoneyView
    pets: list[Pet]
    absent: str | None = None


class Aliased(View):
    name: str = Field(serialization_alias="title")


class Shouting(View):
    name: str

    @field_serializer("name")
    def shout(self, value: str) -> str:
        return value.upper()


class Around(View):
    inner: Shouting


@pytest.mark.parametrize("native", [True, False])
def test_rendering_is_what_pydantic_writes(*, native: bool) -> None:
    made = uuid.uuid4()
    at = datetime.now(UTC)
    for moment in (at, at.replace(microsecond=0), at.astimezone(timezone(timedelta(hours=7)))):
        view = Everything(
            id=parse_uuid(str(made)) if native else made,
            at=moment,
            names=["ข้าว", 'a"b\\c', "\u2028"],
            more={"a": 1, "b": None},
            kind=Kindness.KIND,
            ratio=float("nan"),
            price=MoneyView(amount_minor=5, currency=Currency.THB),
            pets=[Pet(name="x")],
        )
        rendered = renderer_of(Everything)(view)
        assert orjson.loads(rendered) == orjson.loads(view.model_dump_json())


@pytest.mark.parametrize(
    ("model", "view"),
    [
        (Aliased, Aliased(name="x")),
        (Shouting, Shouting(name="x")),
        (Around, Around(inner=Shouting(name="x"))),
        (Page[Pet], Page(items=[Pet(name="x")])),
        (Page[Pet], Page[Pet](items=[Pet(name="x")], next_cursor="y")),
        (Page[Shouting], Page(items=[Shouting(name="x")])),
    ],
)
def test_views_with_a_form_of_their_own_keep_it(model: type[View], view: View) -> None:
    assert orjson.loads(renderer_of(model)(view)) == orjson.loads(view.model_dump_json())


def _route(handler: Any, **options: Any) -> Routes:
    table = Routes(tag="x")
    table.route(options.pop("method", "GET"), options.pop("path", "/v1/x"), auth="public", **options)(handler)
    return table


async def takes_unknown(nothing: int) -> None: ...
async def takes_tx(tx: Any) -> None: ...
async def takes_nothing() -> None: ...
async def takes_id(x_id: list[int]) -> None: ...
async def takes_principal(principal: Principal) -> None: ...
async def takes_body(body: int) -> None: ...
async def unannotated(body) -> None: ...  # type: ignore[no-untyped-def]
def not_async() -> None: ...


@pytest.mark.parametrize(
    ("handler", "options"),
    [
        (takes_unknown, {}),
        (takes_tx, {}),
        (takes_nothing, {"path": "/v1/x/{x_id}"}),
        (takes_id, {"path": "/v1/x/{x_id}"}),
        (takes_principal, {}),
        (takes_body, {"method": "POST"}),
        (unannotated, {"method": "POST"}),
        (not_async, {}),
        (takes_nothing, {"method": "POST", "idempotency": "required"}),
        (takes_nothing, {"method": "POST", "idempotency": "own"}),
        (takes_nothing, {"path": "v1/x"}),
        (takes_nothing, {"path": "/v1/x/"}),
    ],
)
def test_a_route_that_cannot_be_served_is_found_at_start(handler: Any, options: dict[str, Any]) -> None:
    with pytest.raises(RouteError):
        make_app("x", [_route(handler, **options)], app=None)


def test_two_handlers_for_one_route_are_found_at_start() -> None:
    with pytest.raises(RouteError, match="there twice"):
        make_app("x", [_route(takes_nothing), _route(takes_nothing)], app=None)


def test_two_handlers_of_one_name_are_found_at_start() -> None:
    with pytest.raises(RouteError, match="names are ids"):
        make_app("x", [_route(takes_nothing), _route(takes_nothing, path="/v1/y")], app=None)


def test_options_of_a_whole_table_are_those_of_each_route() -> None:
    table = Routes(tag="x", auth="public", rows_of_caller=False)
    table.get("/v1/x")(takes_nothing)
    table.sharing(limit=RateLimit("x", per_address=1)).put("/v1/x", auth="optional")(takes_tx)
    assert [(each.auth, each.rows_of_caller, len(each.limits)) for each in table] == [
        ("public", False, 0),
        ("optional", False, 1),
    ]
