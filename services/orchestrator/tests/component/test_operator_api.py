"""The operator API over HTTP: find, read, act; roles, audit, bulk, bad input."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from eventing import KafkaConfig
from orchestrator.__main__ import SERVICE
from orchestrator.adapters import metrics
from orchestrator.domain.batch import AddressedInput
from orchestrator.domain.inputs import Reply
from orchestrator.domain.state import command_id
from orchestrator.entrypoints.jobs.gauges import observe
from orchestrator.entrypoints.jobs.retention import prune
from orchestrator.settings import OrchestratorSettings
from orchestrator.usecases.advance_sagas import AdvanceSagas, advance_sagas
from orchestrator.wiring import App, wire
from orchestrator_testing.builders import a_start
from orchestrator_testing.world import VERSION_1
from testkit.forged import forgeries
from testkit.issuer import TokenIssuer
from testkit.service import settings_of
from testkit.serving import Client, serving

pytestmark = pytest.mark.component
STEPS = ["reserve_stock", "authorize_payment", "confirm_order", "capture_payment", "settle_payment", "mark_order_paid"]
BECAUSE = {"reason": "ticket OPS-1"}


@dataclass
class Ops:
    """The service over HTTP, an operator, and sagas to operate."""

    app: App
    call: Client
    issuer: TokenIssuer
    conn: asyncpg.Connection
    owner: asyncpg.Connection
    operator_id: UUID

    def token(self, *roles: str) -> str:
        return self.issuer.token_for(self.operator_id, roles=roles or ("ops",))

    async def saga(self, *, at_step: str = "reserve_stock", started: datetime | None = None, code: str = "") -> UUID:
        """One of version 1 that waits in ``at_step``, or whose ``at_step`` was refused with ``code``."""
        start = a_start(at=started or datetime.now(UTC))
        inputs = [AddressedInput(event=start, key=("order_payment", start.business_key))]
        count = STEPS.index(at_step)
        for number, step in enumerate(STEPS[: count + bool(code)]):
            identity = command_id(start.saga_id, step, undo=False)
            refusal = code if number == count else ""
            reply = Reply(at=start.at, command_id=identity, succeeded=not refusal, code=refusal)
            inputs.append(AddressedInput(event=reply, saga_id=start.saga_id))
        async with self.app.begin() as tx:
            await advance_sagas(AdvanceSagas(inputs[:1]), tx, VERSION_1)
        async with self.app.begin() as tx:
            await advance_sagas(AdvanceSagas(inputs[1:]), tx, self.app.registry)
        return start.saga_id

    async def get(self, path: str) -> Any:
        answer = await self.call("GET", f"/v1/ops/sagas{path}", token=self.token())
        assert answer.status == 200, answer.content
        return answer.json

    async def act(self, saga_id: UUID, action: str, body: Any = None, **how: Any) -> Any:
        path = f"/v1/ops/sagas/{saga_id}/{action}"
        return await self.call("POST", path, body or BECAUSE, token=self.token(), **how)

    async def sent(self, saga_id: UUID) -> list[str]:
        rows = await self.conn.fetch("SELECT type, headers FROM outbox WHERE headers IS NOT NULL ORDER BY id")
        return [row["type"].rpartition(".")[2] for row in rows if str(saga_id) in row["headers"]]

    async def acts(self) -> list[dict[str, Any]]:
        """What is on record of this service's operators, the newest first."""
        answer = await self.call("GET", "/v1/ops/orchestrator/acts?limit=200", token=self.token())
        items: list[dict[str, Any]] = answer.json["items"]
        return items

    async def audited(self, saga_id: UUID) -> list[tuple[str, str]]:
        return [(item["action"], item["outcome"]) for item in (await self.get(f"/{saga_id}/actions"))["items"]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ops(database: Any, redis_url: str, kafka_admin: KafkaConfig) -> AsyncIterator[Ops]:
    made = await database("orchestrator")
    async with TokenIssuer.serve() as issuer:
        plain = settings_of(OrchestratorSettings, dsn=made.dsn, redis_url=redis_url, kafka=kafka_admin)
        settings = plain.model_copy(update={"jwks_url": issuer.jwks_url})
        async with wire(settings) as app, serving(SERVICE.http(app)) as call:
            conn, owner = await asyncpg.connect(made.dsn), await asyncpg.connect(made.owner_dsn)
            yield Ops(app, call, issuer, conn, owner, uuid4())
            await conn.close()
            await owner.close()


async def test_a_saga_can_be_found_and_read(ops: Ops) -> None:
    saga_id = await ops.saga(at_step="authorize_payment")
    saga = await ops.get(f"/{saga_id}")
    assert saga["type"] == "order_payment"
    assert saga["status"] == "started"
    assert saga["steps_in_flight"] == ["authorize_payment"]
    assert [step["status"] for step in saga["steps"]] == ["done", "running", *["pending"] * 5]
    found = await ops.get(f"?business_key={saga['business_key']}")
    assert [item["id"] for item in found["items"]] == [str(saga_id)]
    assert found["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("type=order_payment", True),
        ("type=refund", False),
        ("status=compensating", True),
        ("status=started", False),
        ("step=cancel_order", True),
        ("step=reserve_stock", False),
        ("error_code=commerce.stock.sold_out", True),
        ("error_code=other", False),
        ("needs_operator=false", True),
        ("needs_operator=true", False),
        ("paused=false", True),
        ("paused=true", False),
        ("older_than_s=3000", True),
        ("older_than_s=9000", False),
        ("status=compensating&step=cancel_order&error_code=commerce.stock.sold_out", True),
    ],
)
async def test_filters(*, ops: Ops, query: str, matches: bool) -> None:
    started = datetime.now(UTC) - timedelta(hours=1)
    saga_id = await ops.saga(code="commerce.stock.sold_out", started=started)
    saga = await ops.get(f"/{saga_id}")
    found = await ops.get(f"?business_key={saga['business_key']}&{query}")
    assert bool(found["items"]) is matches


async def test_pages_hold_still_while_sagas_are_added(ops: Ops) -> None:
    mine = [str(await ops.saga()) for _ in range(5)]
    page = await ops.get("?limit=2&status=started&step=reserve_stock")
    seen = [item["id"] for item in page["items"]]
    await ops.saga()
    while page["next_cursor"] and len(seen) < 5:
        page = await ops.get(f"?limit=2&status=started&step=reserve_stock&cursor={page['next_cursor']}")
        seen += [item["id"] for item in page["items"]]
    assert seen[:5] == mine[::-1]


async def test_the_timeline_shows_every_step_with_its_payload(ops: Ops) -> None:
    saga_id = await ops.saga(at_step="authorize_payment", code="payment.wallet.insufficient_funds")
    first = await ops.get(f"/{saga_id}/timeline?limit=2")
    rest = await ops.get(f"/{saga_id}/timeline?limit=50&cursor={first['next_cursor']}")
    entries = [*first["items"], *rest["items"]]
    assert [entry["kind"] for entry in entries] == ["start", "reply", "reply"]
    assert [entry["seq"] for entry in entries] == [1, 2, 3]
    (undo,) = entries[2]["commands"]
    assert (undo["step"], undo["direction"]) == ("reserve_stock", "undo")
    assert undo["payload"]["reason_code"] == "payment.wallet.insufficient_funds"
    assert entries[2]["settled"]["outcome"] == "rejected"
    assert entries[2]["input"]["code"] == "payment.wallet.insufficient_funds"


async def test_retry_now_sends_the_same_command_again_and_is_audited(ops: Ops) -> None:
    saga_id = await ops.saga()
    answer = await ops.act(saga_id, "retry-now")
    assert answer.status == 200
    assert answer.json["epoch"] == 1
    assert await ops.sent(saga_id) == ["ReserveStock", "ReserveStock"]
    (action,) = (await ops.get(f"/{saga_id}/actions"))["items"]
    assert action["actor_id"] == str(ops.operator_id)
    assert action["reason"] == BECAUSE["reason"]
    assert (action["action"], action["outcome"]) == ("retry_now", "done")
    entry = (await ops.get(f"/{saga_id}/timeline"))["items"][-1]
    assert entry["input"] == {"actor": str(ops.operator_id), "reason": BECAUSE["reason"]}


async def test_a_repeated_key_acts_once(ops: Ops) -> None:
    saga_id = await ops.saga()
    key = str(uuid4())
    first, second = [await ops.act(saga_id, "retry-now", key=key) for _ in range(2)]
    assert first.content == second.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(await ops.audited(saga_id)) == 1


async def test_force_compensation_before_the_pivot(ops: Ops) -> None:
    saga_id = await ops.saga(at_step="authorize_payment")
    answer = await ops.act(saga_id, "force-compensation")
    assert answer.json["status"] == "compensating"
    assert (await ops.sent(saga_id))[-1] == "VoidPayment"
    again = await ops.act(saga_id, "force-compensation")
    assert (again.status, again.code) == (409, "orchestrator.saga.already_compensating")


async def test_a_refused_act_changes_nothing_and_is_audited_too(ops: Ops) -> None:
    saga_id = await ops.saga(at_step="confirm_order")
    before = await ops.get(f"/{saga_id}")
    answer = await ops.act(saga_id, "force-compensation")
    assert (answer.status, answer.code) == (409, "orchestrator.saga.past_pivot")
    assert await ops.get(f"/{saga_id}") == before
    assert await ops.audited(saga_id) == [("force_compensation", "orchestrator.saga.past_pivot")]


async def test_pause_and_resume(ops: Ops) -> None:
    saga_id = await ops.saga()
    paused = await ops.act(saga_id, "pause", {**BECAUSE, "for_s": 60})
    assert paused.json["paused_until"] is not None
    refused = await ops.act(saga_id, "retry-now")
    assert (refused.status, refused.code) == (409, "orchestrator.saga.paused")
    resumed = await ops.act(saga_id, "resume")
    assert resumed.json["paused_until"] is None
    again = await ops.act(saga_id, "resume")
    assert (again.status, again.code) == (409, "orchestrator.saga.not_held")


async def test_a_skipped_step_is_open_until_somebody_says_who_did_it(ops: Ops) -> None:
    saga_id = await ops.saga(at_step="capture_payment")
    refused = await ops.act(saga_id, "skip-step", {**BECAUSE, "step": "settle_payment"})
    assert (refused.status, refused.code) == (409, "orchestrator.step.not_in_flight")
    early = await ops.act(saga_id, "settle-step", {**BECAUSE, "step": "capture_payment", "reference": "entry 17"})
    assert (early.status, early.code) == (409, "orchestrator.step.not_skipped")

    skipped = (await ops.act(saga_id, "skip-step", {**BECAUSE, "step": "capture_payment"})).json
    assert (skipped["steps_in_flight"], skipped["steps_unsettled"]) == ([], ["capture_payment"])
    assert (skipped["needs_operator"], skipped["status"]) == (True, "started")
    found = await ops.get("?needs_operator=true&step=capture_payment")
    assert str(saga_id) in [item["id"] for item in found["items"]]

    settled = await ops.act(saga_id, "settle-step", {**BECAUSE, "step": "capture_payment", "reference": "entry 17"})
    assert settled.json["steps_in_flight"] == ["settle_payment", "mark_order_paid"]
    assert await ops.audited(saga_id) == [
        ("settle_step", "done"),
        ("skip_step", "done"),
        ("settle_step", "orchestrator.step.not_skipped"),
        ("skip_step", "orchestrator.step.not_in_flight"),
    ]


@pytest.mark.parametrize("step", ["reserve_stock", "authorize_payment", "confirm_order"])
async def test_what_later_steps_rest_on_is_not_skipped(ops: Ops, step: str) -> None:
    saga_id = await ops.saga(at_step=step)
    refused = await ops.act(saga_id, "skip-step", {**BECAUSE, "step": step})
    assert (refused.status, refused.code) == (409, "orchestrator.step.not_skippable")


@pytest.mark.parametrize(
    "body",
    [
        BECAUSE,
        {**BECAUSE, "step": "x"},
        {"step": "x", "reference": "y"},
        {**BECAUSE, "step": "", "reference": "y"},
        {**BECAUSE, "step": "x", "reference": "\u3164"},
        {"reason": "\u2800", "step": "x", "reference": "y"},
    ],
)
async def test_who_settles_a_step_says_which_and_where_it_can_be_seen(ops: Ops, body: Any) -> None:
    answer = await ops.act(await ops.saga(), "settle-step", body)
    assert (answer.status, answer.code) == (422, "request.body.invalid")


async def test_the_database_refuses_to_end_a_saga_with_an_open_task(ops: Ops) -> None:
    saga_id = await ops.saga(at_step="capture_payment")
    await ops.act(saga_id, "skip-step", {**BECAUSE, "step": "capture_payment"})
    with pytest.raises(asyncpg.CheckViolationError, match="saga_6"):
        await ops.conn.execute(
            "UPDATE saga_execution SET status = 'completed', completed_at = now(), next_wake_at = NULL WHERE id = $1",
            saga_id,
        )


async def test_an_answer_and_a_skip_at_once_leave_the_step_done_or_open(ops: Ops) -> None:
    """Whoever comes first: a late success settles what was skipped, and what is done is not skipped any more."""
    for _ in range(10):
        saga_id = await ops.saga(at_step="capture_payment")
        reply = Reply(
            at=datetime.now(UTC), command_id=command_id(saga_id, "capture_payment", undo=False), succeeded=True
        )

        async def answered(saga_id: UUID = saga_id, reply: Reply = reply) -> None:
            async with ops.app.begin() as tx:
                await advance_sagas(AdvanceSagas([AddressedInput(event=reply, saga_id=saga_id)]), tx, ops.app.registry)

        skipped, _ = await asyncio.gather(
            ops.act(saga_id, "skip-step", {**BECAUSE, "step": "capture_payment"}), answered()
        )
        assert skipped.status in {200, 409}
        saga = await ops.get(f"/{saga_id}")
        assert saga["steps"][3]["status"] == "done"
        assert saga["steps_in_flight"] == ["settle_payment", "mark_order_paid"]


async def test_a_saga_of_version_2_is_operated_as_those_of_the_first(ops: Ops) -> None:
    start = a_start(at=datetime.now(UTC))
    inputs = [AddressedInput(event=start, key=("order_payment", start.business_key))]
    async with ops.app.begin() as tx:
        await advance_sagas(AdvanceSagas(inputs), tx, ops.app.registry)
    saga = await ops.get(f"/{start.saga_id}")
    assert (saga["version"], saga["steps_in_flight"]) == (2, ["pay_order"])
    refused = await ops.act(start.saga_id, "skip-step", {**BECAUSE, "step": "pay_order"})
    assert (refused.status, refused.code) == (409, "orchestrator.step.not_skippable")
    undone = await ops.act(start.saga_id, "force-compensation")
    assert undone.json["status"] == "compensating"
    assert await ops.sent(start.saga_id) == ["PayOrder", "ReturnPayment"]


async def test_a_dry_run_speaks_of_the_same_sagas_as_the_act(ops: Ops) -> None:
    """Each once, in the order given: ended, unknown, refusing and doubled ones too, and more than a filter's limit."""
    open_id, past_id, unknown = await ops.saga(), await ops.saga(at_step="capture_payment"), uuid4()
    many = [uuid4() for _ in range(150)]
    ids = [unknown, open_id, past_id, open_id, *many, unknown]
    body = {**BECAUSE, "action": "force_compensation", "saga_ids": [str(each) for each in ids]}

    async def outcomes(*, dry_run: bool) -> list[tuple[str, str, str | None]]:
        answer = await ops.call("POST", "/v1/ops/sagas/bulk", {**body, "dry_run": dry_run}, token=ops.token())
        return [(item["saga_id"], item["outcome"], item["status"]) for item in answer.json["items"]]

    tried = await outcomes(dry_run=True)
    assert tried[:3] == [
        (str(unknown), "orchestrator.saga.not_found", None),
        (str(open_id), "done", "compensating"),
        (str(past_id), "orchestrator.saga.past_pivot", None),
    ]
    assert [each for each, *_ in tried] == [str(each) for each in dict.fromkeys(ids)]
    assert await outcomes(dry_run=False) == tried


async def test_a_saga_that_cannot_be_read_is_one_outcome_of_a_bulk_act(ops: Ops) -> None:
    first, bad, last = [await ops.saga() for _ in range(3)]
    await ops.conn.execute("""UPDATE saga_execution SET steps = '[["unheard_of", 1, 1]]' WHERE id = $1""", bad)
    body = {**BECAUSE, "action": "retry_now", "saga_ids": [str(first), str(bad), str(last)], "dry_run": False}
    answer = await ops.call("POST", "/v1/ops/sagas/bulk", body, token=ops.token())
    assert [item["outcome"] for item in answer.json["items"]] == [
        "done",
        "orchestrator.saga.unreadable",
        "done",
    ]
    await ops.conn.execute(
        "UPDATE saga_execution SET steps = (SELECT steps FROM saga_execution WHERE id = $2) WHERE id = $1", bad, first
    )


async def test_every_unsafe_route_for_operators_leaves_an_act_on_record(ops: Ops) -> None:
    """Done or refused, with who and why; a route that is new must be added here."""
    saga_id = await ops.saga(at_step="capture_payment")
    bodies = {
        "/v1/ops/sagas/{saga_id}/retry-now": BECAUSE,
        "/v1/ops/sagas/{saga_id}/pause": BECAUSE,
        "/v1/ops/sagas/{saga_id}/resume": BECAUSE,
        "/v1/ops/sagas/{saga_id}/force-compensation": BECAUSE,
        "/v1/ops/sagas/{saga_id}/skip-step": {**BECAUSE, "step": "capture_payment"},
        "/v1/ops/sagas/{saga_id}/settle-step": {**BECAUSE, "step": "capture_payment", "reference": "entry 17"},
        "/v1/ops/sagas/bulk": {**BECAUSE, "action": "pause", "saga_ids": [str(saga_id)], "dry_run": False},
        "/v1/ops/orchestrator/dead-letters/{letter_id}/redrive": BECAUSE,
    }
    unsafe = [route for table in SERVICE.routes for route in table if route.method != "GET"]
    assert {route.path for route in unsafe} == bodies.keys()
    for path, body in bodies.items():
        newest = max((each["id"] for each in await ops.acts()), default=0)
        await ops.call("POST", path.format(saga_id=saga_id, letter_id=10**9), body, token=ops.token())
        new = [each for each in await ops.acts() if each["id"] > newest]
        assert new, path
        assert {(each["actor"], each["reason"]) for each in new} == {(str(ops.operator_id), BECAUSE["reason"])}, path


async def test_an_act_says_how_the_saga_stood_before_and_after(ops: Ops) -> None:
    saga_id = await ops.saga(at_step="capture_payment")
    await ops.act(saga_id, "skip-step", {**BECAUSE, "step": "capture_payment"})
    await ops.act(saga_id, "settle-step", {**BECAUSE, "step": "capture_payment", "reference": "entry 17"})
    settled, skipped = [each for each in await ops.acts() if each["target"].get("saga_id") == str(saga_id)]
    assert (skipped["action"], skipped["target"]["step"]) == ("saga.skip_step", "capture_payment")
    assert skipped["before"] == {"needs_operator": "False", "step capture_payment": "running, attempt 1"}
    assert skipped["after"] == {"needs_operator": "True", "step capture_payment": "unsettled, attempt 1"}
    assert settled["after"]["reference"] == "entry 17"
    assert settled["after"]["step capture_payment"] == "by_hand, attempt 1"


async def test_bulk_says_first_and_does_then(ops: Ops) -> None:
    open_id, past_id = await ops.saga(), await ops.saga(at_step="capture_payment")
    body = {**BECAUSE, "action": "force_compensation", "saga_ids": [str(open_id), str(past_id)]}

    async def outcomes(**more: Any) -> dict[str, str]:
        answer = await ops.call("POST", "/v1/ops/sagas/bulk", {**body, **more}, token=ops.token())
        assert answer.status == 200, answer.content
        return {item["saga_id"]: item["outcome"] for item in answer.json["items"]}

    expected = {str(open_id): "done", str(past_id): "orchestrator.saga.past_pivot"}
    assert await outcomes() == expected
    assert (await ops.get(f"/{open_id}"))["status"] == "started"
    assert await ops.audited(open_id) == []
    assert await outcomes(dry_run=False) == expected
    assert (await ops.get(f"/{open_id}"))["status"] == "compensating"
    assert await ops.audited(past_id) == [("force_compensation", "orchestrator.saga.past_pivot")]


async def test_bulk_by_filter(ops: Ops) -> None:
    code = f"test.{uuid4().hex}"
    saga_ids = {str(await ops.saga(code=code)) for _ in range(3)}
    body = {**BECAUSE, "action": "retry_now", "filter": {"error_code": code}, "dry_run": False}
    answer = await ops.call("POST", "/v1/ops/sagas/bulk", body, token=ops.token())
    assert {item["saga_id"] for item in answer.json["items"] if item["outcome"] == "done"} == saga_ids


async def test_bulk_acts_on_ids_or_on_what_a_filter_finds_never_on_a_mixture(ops: Ops) -> None:
    named, code = await ops.saga(), f"test.{uuid4().hex}"
    body = {**BECAUSE, "action": "pause", "saga_ids": [str(named)], "filter": {"error_code": code}, "dry_run": False}
    answer = await ops.call("POST", "/v1/ops/sagas/bulk", body, token=ops.token())
    assert (answer.status, answer.code) == (422, "orchestrator.bulk.two_targets")
    assert (await ops.get(f"/{named}"))["paused_until"] is None


@pytest.mark.parametrize("filter_", [None, {}, {"type": None}, {"step": None, "paused": None}])
async def test_bulk_never_means_everything(ops: Ops, filter_: Any) -> None:
    body = {**BECAUSE, "action": "retry_now", **({"filter": filter_} if filter_ is not None else {})}
    answer = await ops.call("POST", "/v1/ops/sagas/bulk", body, token=ops.token())
    assert (answer.status, answer.code) == (422, "orchestrator.bulk.target_missing")


@pytest.mark.parametrize(
    ("roles", "status"), [(("ops",), 200), (("admin",), 200), (("user",), 403), (("seller",), 403)]
)
async def test_only_operators_may(ops: Ops, roles: tuple[str, ...], status: int) -> None:
    saga_id = await ops.saga()
    for method, path, body in (
        ("GET", "/v1/ops/sagas", None),
        ("GET", f"/v1/ops/sagas/{saga_id}", None),
        ("GET", f"/v1/ops/sagas/{saga_id}/timeline", None),
        ("GET", f"/v1/ops/sagas/{saga_id}/actions", None),
        ("POST", f"/v1/ops/sagas/{saga_id}/retry-now", BECAUSE),
        ("POST", "/v1/ops/sagas/bulk", {**BECAUSE, "action": "resume", "saga_ids": [str(saga_id)]}),
    ):
        answer = await ops.call(method, path, body, token=ops.token(*roles))
        assert answer.status == status, (path, answer.content)
        if status == 403:
            assert answer.code == "auth.role.missing"


async def test_forged_tokens_are_refused(ops: Ops) -> None:
    for name, token in forgeries(ops.issuer, ops.operator_id).items():
        answer = await ops.call("GET", "/v1/ops/sagas", token=token)
        assert answer.status in {400, 401}, name  # 400: a header longer than any server reads
    assert (await ops.call("GET", "/v1/ops/sagas")).code == "auth.token.missing"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": "x" * 501},
        {"reason": 7},
        {"reason": "a\u0000b"},
        {"reason": "a\u202eb"},
        {"reason": "\u200b"},
        {"reason": "   "},
        {"reason": "\u3164"},
        {"reason": "\u2800\n"},
        {"reason": "\u200d\u200d"},
        {"reason": "fine", "other": 1},
        [],
        "text",
    ],
)
async def test_bad_bodies_are_refused_and_nothing_is_written(ops: Ops, body: Any) -> None:
    saga_id = await ops.saga()
    before = await ops.get(f"/{saga_id}")
    answer = await ops.call("POST", f"/v1/ops/sagas/{saga_id}/retry-now", body, token=ops.token())
    assert answer.status == 422
    assert answer.code == "request.body.invalid"
    assert await ops.get(f"/{saga_id}") == before
    assert await ops.audited(saga_id) == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("?limit=0", 422, "request.query.invalid"),
        ("?limit=201", 422, "request.query.invalid"),
        ("?status=lost", 422, "request.query.invalid"),
        ("?older_than_s=-1", 422, "request.query.invalid"),
        ("?unknown=1", 422, "request.query.invalid"),
        ("?cursor=made-up", 422, "cursor_invalid"),
        ("/not-a-uuid", 404, "request.path.not_found"),
        (f"/{uuid4()}", 404, "orchestrator.saga.not_found"),
        (f"/{uuid4()}/timeline", 404, "orchestrator.saga.not_found"),
        (f"/{uuid4()}/actions", 404, "orchestrator.saga.not_found"),
    ],
)
async def test_bad_reads(ops: Ops, path: str, status: int, code: str) -> None:
    answer = await ops.call("GET", f"/v1/ops/sagas{path}", token=ops.token())
    assert (answer.status, answer.code) == (status, code)


async def test_acts_on_nothing(ops: Ops) -> None:
    answer = await ops.act(uuid4(), "resume")
    assert (answer.status, answer.code) == (404, "orchestrator.saga.not_found")


async def test_titles_are_in_the_readers_language(ops: Ops) -> None:
    answer = await ops.call("GET", f"/v1/ops/sagas/{uuid4()}", token=ops.token(), headers={"Accept-Language": "id-ID"})
    assert answer.json["title"] == "Saga tidak ditemukan"


async def test_what_waits_to_be_published_and_what_could_not_be_handled(ops: Ops) -> None:
    await ops.saga()
    answer = await ops.call("GET", "/v1/ops/orchestrator/outbox", token=ops.token())
    assert answer.json["waiting"] > 0
    assert answer.json["parked"] == []
    for number in range(3):
        await ops.conn.execute(
            """INSERT INTO dead_letter (consumer, event_id, topic, partition, record_offset, key, type, headers, body,
                   reason, error) VALUES ('orchestrator', $1, 't', 0, $2, 'k', 'x', '[]', '', 'malformed', 'cut')""",
            uuid4(),
            number,
        )
    first = await ops.call("GET", "/v1/ops/orchestrator/dead-letters?limit=2", token=ops.token())
    rest = await ops.call(
        "GET", f"/v1/ops/orchestrator/dead-letters?cursor={first.json['next_cursor']}", token=ops.token()
    )
    assert [item["offset"] for item in (*first.json["items"], *rest.json["items"])] == [0, 1, 2]
    for path in ("outbox", "dead-letters"):
        assert (await ops.call("GET", f"/v1/ops/orchestrator/{path}", token=ops.token("user"))).status == 403


async def test_a_saga_past_its_deadline_is_seen_by_its_age_alone(ops: Ops) -> None:
    """Its timers run and its participants never answer: nothing is overdue, no lag is seen, and it stands still."""

    async def oldest_late_s() -> float:
        await observe(ops.app)
        [sample] = metrics.OLDEST_LATE.collect()[0].samples
        return float(sample.value)

    saga_id, days_s = await ops.saga(), 24 * 3600
    assert await oldest_late_s() < days_s, "those of other tests are younger"
    await ops.conn.execute(
        """UPDATE saga_execution SET deadline_at = now() - interval '2 days', next_wake_at = now() + interval '1 min'
           WHERE id = $1""",
        saga_id,
    )
    assert 2 * days_s <= await oldest_late_s() < 3 * days_s
    for column, value in (("paused_until", "now() + interval '1 hour'"), ("needs_operator", "true")):
        await ops.conn.execute(f"UPDATE saga_execution SET {column} = {value} WHERE id = $1", saga_id)
        assert await oldest_late_s() < days_s, "an operator knows"
        await ops.conn.execute(
            "UPDATE saga_execution SET paused_until = NULL, needs_operator = false WHERE id = $1", saga_id
        )


async def test_gauges_and_retention(ops: Ops) -> None:
    await ops.saga()
    await observe(ops.app)
    old = await ops.saga()
    await ops.conn.execute(
        """UPDATE saga_execution SET status = 'completed', completed_at = now() - interval '91 days',
           next_wake_at = NULL, step = '' WHERE id = $1""",
        old,
    )
    assert await prune(ops.app) == 1
    assert (await ops.call("GET", f"/v1/ops/sagas/{old}", token=ops.token())).status == 404
    assert await ops.conn.fetchval("SELECT count(*) FROM saga_history WHERE saga_id = $1", old) == 0


DAMAGES = {
    "steps are a number": "steps = '5'",
    "steps are none": "steps = 'null'",
    "no step is left": "steps = '[]'",
    "steps are an object": "steps = '{\"x\": 5}'",
    "attempts are a text": """steps = jsonb_set(steps, '{0,1}', '"x"')""",
    "a moment is out of range": "steps = jsonb_set(steps, '{0,5}', '1e30')",
    "the failure is a number": "compensation_data = '5'",
    "the failure is a list": "compensation_data = '[]'",
    "the failure has another field": "compensation_data = '{\"x\": 5}'",
    "the failure's code is a number": """compensation_data = '{"code": 5, "detail": "", "step": ""}'""",
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_saga_is_shown_as_one_and_refuses_every_act(ops: Ops, damage: str) -> None:
    good, bad = await ops.saga(), await ops.saga(at_step="capture_payment", code="payment.gone")
    await ops.conn.execute(f"UPDATE saga_execution SET {DAMAGES[damage]}, needs_operator = true WHERE id = $1", bad)
    before = await ops.conn.fetchrow("SELECT * FROM saga_execution WHERE id = $1", bad)
    for query in ("", "?needs_operator=true", "?step=capture_payment"):
        shown = {each["id"]: each for each in (await ops.get(query))["items"]}
        assert shown[str(bad)]["unreadable"]
    shown = {each["id"]: each for each in (await ops.get(""))["items"]}
    assert not shown[str(good)]["unreadable"]
    one = await ops.get(f"/{bad}")
    assert one == shown[str(bad)]
    assert (one["needs_operator"], one["status"], one["total_steps"]) == (True, "started", before["total_steps"])
    assert (one["steps"], one["failure"]) == ([], None)
    assert (await ops.get(f"/{bad}/timeline"))["items"][0]["kind"] == "start"
    bodies = {
        "retry-now": BECAUSE,
        "force-compensation": BECAUSE,
        "resume": BECAUSE,
        "pause": BECAUSE,
        "skip-step": {**BECAUSE, "step": "capture_payment"},
        "settle-step": {**BECAUSE, "step": "capture_payment", "reference": "a ledger"},
    }
    for act, body in bodies.items():
        refused = await ops.act(bad, act, body)
        assert (refused.status, refused.json["code"]) == (409, "orchestrator.saga.unreadable")
    for dry_run in (True, False):
        target = {"saga_ids": [str(bad), str(good)], "dry_run": dry_run}
        answer = await ops.call(
            "POST", "/v1/ops/sagas/bulk", {**BECAUSE, "action": "retry_now", **target}, token=ops.token()
        )
        assert [each["outcome"] for each in answer.json["items"]] == ["orchestrator.saga.unreadable", "done"]
    assert {each["outcome"] for each in (await ops.get(f"/{bad}/actions"))["items"]} == {"orchestrator.saga.unreadable"}
    assert await ops.conn.fetchrow("SELECT * FROM saga_execution WHERE id = $1", bad) == before


async def test_a_saga_whose_data_is_damaged_refuses_what_needs_it(ops: Ops) -> None:
    bad = await ops.saga()
    await ops.conn.execute(r"UPDATE saga_execution SET data = '\xff' WHERE id = $1", bad)
    refused = await ops.act(bad, "retry-now")
    assert (refused.status, refused.json["code"]) == (409, "orchestrator.saga.unreadable")
    assert (await ops.act(bad, "pause")).status == 200


async def test_a_damaged_entry_of_a_timeline_is_shown_as_one(ops: Ops) -> None:
    saga_id = await ops.saga(at_step="confirm_order")
    await ops.owner.execute("UPDATE saga_history SET entry = '5' WHERE saga_id = $1 AND seq = 2", saga_id)
    shown = (await ops.get(f"/{saga_id}/timeline"))["items"]
    assert [each["unreadable"] for each in shown] == [each["seq"] == 2 for each in shown]
