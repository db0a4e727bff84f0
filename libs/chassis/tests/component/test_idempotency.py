"""Idempotency keys over a real Postgres: one key, one effect, one answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

import pytest
import pytest_asyncio
from aiohttp.test_utils import make_mocked_request

from chassis import idempotency
from chassis.housekeeping import forget_keys
from chassis.http import Body, Line, Reply, Routes, View, make_app
from chassis.http.problems import Problems
from chassis.idempotency import Claim, StoredAnswer
from chassis.postgres import Connection, Database
from chassis.tokens import Principal, TokenVerifier
from kernel.errors import DomainError, Kind
from testkit.issuer import TokenIssuer
from testkit.serving import Client, serving
from testkit.wait import eventually

pytestmark = pytest.mark.component


@dataclass
class Tx:
    conn: Connection


@dataclass
class App:
    database: Database
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    entered: int = 0

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[Tx]:
        async with self.database.begin(user_id=user_id) as conn:
            yield Tx(conn)


class TooManyError(DomainError):
    code: ClassVar[str] = "shop.thing.too_many"
    kind: ClassVar[Kind] = Kind.CONFLICT


class BusyError(DomainError):
    code: ClassVar[str] = "shop.busy"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class ThingBody(Body):
    name: Line


class ThingView(View):
    id: UUID
    name: str


routes = Routes(tag="things")


async def _insert(tx: Tx, principal: Principal, name: str) -> ThingView:
    thing_id = uuid.uuid4()
    await tx.conn.execute("INSERT INTO thing VALUES ($1, $2, $3)", thing_id, principal.user_id, name)
    return ThingView(id=thing_id, name=name)


@routes.post("/v1/things", status=201, idempotency="required", errors=(TooManyError, BusyError))
async def post_thing(body: ThingBody, principal: Principal, tx: Tx, app: App) -> Reply[ThingView]:
    app.entered += 1
    if body.name == "slow":
        await app.gate.wait()
    view = await _insert(tx, principal, body.name)
    if body.name == "refused":
        raise TooManyError("one is enough", context={"have": 1})
    if body.name == "busy":
        raise BusyError
    if body.name == "broken":
        raise ZeroDivisionError
    return Reply(view, location=f"/v1/things/{view.id}", etag='"1"')


@routes.post("/v1/optional-things", status=201)
async def post_optional_thing(body: ThingBody, principal: Principal, tx: Tx, app: App) -> ThingView:
    app.entered += 1
    view = await _insert(tx, principal, body.name)
    if body.name == "refused":
        raise TooManyError
    return view


@dataclass
class Stage:
    call: Client
    app: App
    token_for: Callable[[UUID], str]
    user_id: UUID
    token: str
    database: Database

    async def things(self, name: str) -> int:
        async with self.database.read() as conn:
            found = await conn.fetchval(
                "SELECT count(*) FROM thing WHERE name = $1 AND user_id = $2", name, self.user_id
            )
        return int(found)

    async def post(self, name: str, key: str, **options: Any) -> Any:
        path = options.pop("path", "/v1/things")
        return await self.call("POST", path, {"name": name}, key=key, token=self.token, **options)


class NothingRevoked:
    def is_revoked(self, _: UUID) -> bool:
        return False


@pytest_asyncio.fixture
async def stage(database_of_shop: Database, issuer: TokenIssuer) -> AsyncIterator[Stage]:
    app = App(database_of_shop)
    verifier = TokenVerifier("", "sampan-auth", "sampan", NothingRevoked(), fetch=issuer.fetch)  # type: ignore[arg-type]
    application = make_app(
        "shop", [routes], app=app, begin=app.begin, database=database_of_shop, verifier=verifier, access_log=False
    )
    user_id = uuid.uuid4()
    async with serving(application) as call:
        yield Stage(call, app, issuer.token_for, user_id, issuer.token_for(user_id), database_of_shop)


async def test_the_stored_answer_comes_back_byte_for_byte(stage: Stage) -> None:
    key = str(uuid.uuid4())
    first = await stage.post("a", key)
    again = await stage.post("a", key)
    assert (first.status, again.status) == (201, 201)
    assert again.content == first.content
    assert (again.headers["Location"], again.headers["ETag"]) == (first.headers["Location"], first.headers["ETag"])
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await stage.things("a") == 1


async def test_the_same_body_written_another_way_is_the_same_request(stage: Stage) -> None:
    key = str(uuid.uuid4())
    first = await stage.post("same", key)
    again = await stage.call("POST", "/v1/things", raw=b'{ "name":  "same" }', key=f'"{key}"', token=stage.token)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_another_body_is_refused(stage: Stage) -> None:
    key = str(uuid.uuid4())
    await stage.post("b", key)
    answer = await stage.post("c", key)
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert await stage.things("c") == 0


async def test_keys_belong_to_a_user_and_a_route(stage: Stage) -> None:
    key = str(uuid.uuid4())
    mine = await stage.post("shared", key)
    other_user = uuid.uuid4()
    theirs = await stage.call("POST", "/v1/things", {"name": "shared"}, key=key, token=stage.token_for(other_user))
    elsewhere = await stage.post("shared", key, path="/v1/optional-things")
    ids = {answer.json["id"] for answer in (mine, theirs, elsewhere)}
    assert len(ids) == 3


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ก", '"', "a\\b"])
async def test_a_missing_or_malformed_key(stage: Stage, key: str) -> None:
    headers = {"Idempotency-Key": key} if key else {}
    answer = await stage.call("POST", "/v1/things", {"name": "d"}, key="", headers=headers, token=stage.token)
    expected = "request.header.malformed" if key else "idempotency_key_missing"
    assert (answer.status, answer.code) == (400, expected)
    assert await stage.things("d") == 0


async def test_two_keys_are_none(stage: Stage) -> None:
    async with stage.call.session.post(
        f"{stage.call.base_url}/v1/things",
        json={"name": "two"},
        headers=[
            ("Authorization", f"Bearer {stage.token}"),
            ("Idempotency-Key", str(uuid.uuid4())),
            ("Idempotency-Key", str(uuid.uuid4())),
        ],
    ) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "request.header.malformed")
    assert await stage.things("two") == 0


async def test_a_key_is_optional_where_the_route_says_so(stage: Stage) -> None:
    for _ in range(2):
        answer = await stage.call("POST", "/v1/optional-things", {"name": "free"}, key="", token=stage.token)
        assert answer.status == 201
    assert await stage.things("free") == 2


async def test_the_second_of_two_at_once_is_told_so(stage: Stage) -> None:
    key = str(uuid.uuid4())
    first = asyncio.create_task(stage.post("slow", key))
    await eventually(lambda: stage.app.entered == 1)
    second = await stage.post("slow", key)
    assert (second.status, second.code) == (409, "idempotency_in_flight")
    assert second.headers["Retry-After"] == "1"
    stage.app.gate.set()
    assert (await first).status == 201
    assert (await stage.post("slow", key)).headers["Idempotency-Replayed"] == "true"
    assert (await stage.things("slow"), stage.app.entered) == (1, 1)


async def test_fifty_at_once_have_one_effect(stage: Stage) -> None:
    key = str(uuid.uuid4())
    answers = await asyncio.gather(*(stage.post("race", key) for _ in range(50)))
    assert {answer.status for answer in answers} <= {201, 409}
    bodies = {answer.content for answer in answers if answer.status == 201}
    assert len(bodies) == 1
    assert await stage.things("race") == 1


async def test_negative_control_fifty_keys_have_fifty_effects(stage: Stage) -> None:
    answers = await asyncio.gather(*(stage.post("no race", str(uuid.uuid4())) for _ in range(50)))
    assert {answer.status for answer in answers} == {201}
    assert await stage.things("no race") == 50


async def test_a_refusal_is_kept_and_its_effect_is_not(stage: Stage) -> None:
    key = str(uuid.uuid4())
    first = await stage.post("refused", key)
    again = await stage.post("refused", key)
    assert (first.status, first.code) == (409, "shop.thing.too_many")
    assert first.json["context"] == {"have": 1}
    assert again.content == first.content
    assert again.headers["Content-Type"] == "application/problem+json"
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await stage.things("refused"), stage.app.entered) == (0, 1)


async def test_a_refusal_is_not_kept_where_the_key_is_optional(stage: Stage) -> None:
    key = str(uuid.uuid4())
    for _ in range(2):
        assert (await stage.post("refused", key, path="/v1/optional-things")).status == 409
    assert stage.app.entered == 2


@pytest.mark.parametrize(("name", "status"), [("busy", 503), ("broken", 500)])
async def test_what_may_pass_is_not_kept(stage: Stage, name: str, status: int) -> None:
    key = str(uuid.uuid4())
    for attempt in (1, 2):
        assert (await stage.post(name, key)).status == status
        assert stage.app.entered == attempt
    assert await stage.things(name) == 0


async def test_an_invalid_body_does_not_use_the_key_up(stage: Stage) -> None:
    key = str(uuid.uuid4())
    assert (await stage.call("POST", "/v1/things", {"nam": "x"}, key=key, token=stage.token)).status == 422
    assert (await stage.post("after", key)).status == 201


async def test_a_refusal_gives_way_to_an_answer_that_came_between(database_of_shop: Database) -> None:
    """The rollback frees the lock: whoever stored first in between has the key's answer."""
    claim = Claim("user", "POST /v1/things", uuid.uuid4().hex, b"f" * 16)
    theirs = StoredAnswer(201, "application/json", {}, b'{"id": 1}')
    async with database_of_shop.begin() as conn:
        assert await idempotency.look(conn, claim) is None
        await idempotency.store(conn, claim, theirs)
    async with database_of_shop.begin() as conn:
        refusal = StoredAnswer(409, "application/problem+json", {}, b"{}")
        assert await idempotency.settle_refusal(conn, claim, refusal) == theirs


async def test_the_primary_key_holds_without_the_lock(database_of_shop: Database) -> None:
    claim = Claim("user", "POST /v1/things", uuid.uuid4().hex, b"f" * 16)
    answer = StoredAnswer(201, "application/json", {}, b"1")
    async with database_of_shop.begin() as conn:
        await idempotency.store(conn, claim, answer)
    with pytest.raises(idempotency.KeyTakenError), idempotency.taken():
        async with database_of_shop.begin() as conn:
            await idempotency.store(conn, claim, answer)


async def test_old_keys_are_forgotten_and_young_ones_kept(database_of_shop: Database) -> None:
    young, old = uuid.uuid4().hex, uuid.uuid4().hex
    answer = StoredAnswer(201, "application/json", {}, b"1")
    async with database_of_shop.begin() as conn:
        for key in (young, old):
            await idempotency.store(conn, Claim("u", "r", key, b"f"), answer)
        await conn.execute("UPDATE idempotency_key SET created_at = now() - interval '49 hours' WHERE key = $1", old)
    stop = asyncio.Event()
    job = forget_keys(database_of_shop, every_s=0.01)
    running = asyncio.create_task(job.run(stop))

    async def keys() -> set[str]:
        async with database_of_shop.read() as conn:
            rows = await conn.fetch("SELECT key FROM idempotency_key WHERE key = ANY ($1)", [young, old])
        return {row["key"] for row in rows}

    async def only_young() -> bool:
        return await keys() == {young}

    await eventually(only_young)
    stop.set()
    await running
    assert job.problem() is None
    async with database_of_shop.begin() as conn:
        with pytest.raises(ValueError, match="at least 24 hours"):
            await idempotency.forget_old(conn, keep_hours=23)


def test_a_refusal_that_a_route_itself_remembered_is_marked_as_replayed() -> None:
    """As payment's transfers do, whose keys are the ledger's."""
    asked = make_mocked_request("GET", "/")
    answers = [Problems().render(TooManyError(replayed=each), asked, request_id="r") for each in (False, True)]
    assert answers[0].body == answers[1].body
    assert [(answer.headers or {}).get(idempotency.REPLAYED_HEADER) for answer in answers] == [None, "true"]
