"""kill -9 between two charges of one list: the second comes into the books all the same."""

from __future__ import annotations

from uuid import UUID, uuid4

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from operations.invariants import broken, check_invariants, report
from payment.adapters.invariants import CHECKS
from payment.domain.accounts import SLOTS, wallet_id
from payment.domain.ledger import Suspend
from payment_testing.ledger import CommittingLedger
from payment_testing.people import NOON, add_person
from testkit.ports import free_port
from testkit.processes import Child
from testkit.wait import eventually


class TwiceTaken:
    """A provider that answers no request for money, and has taken it twice."""

    def __init__(self):
        self.asked = {}  # reference -> how often it was asked for the list

    async def list_charges(self, request):
        reference = request.query["reference"]
        self.asked[reference] = self.asked.get(reference, 0) + 1
        charge = {"reference": reference, "amount_minor": 500, "currency": "THB", "status": "succeeded"}
        names = (f"ch_{number}_{reference}" for number in (1, 2))
        return web.json_response({"items": [{**charge, "charge_id": name} for name in names]})

    async def take(self, _):
        return web.Response(status=503)


@pytest.fixture
async def provider():
    made, app = TwiceTaken(), web.Application()
    app.router.add_get("/payments/charges", made.list_charges)
    app.router.add_post("/payments/charges", made.take)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/"))
        yield made


async def ask(admin, person) -> UUID:
    top_up_id = uuid4()
    await admin.execute(
        "INSERT INTO top_up (id, user_id, wallet_id, amount_minor, currency, provider, payment_token, state,"
        " next_attempt_at, created_at) VALUES ($1, $2, $3, 500, 'THB', 'sandbox', 'tok', 'created', now(), now())",
        top_up_id,
        person,
        wallet_id(person, "THB"),
    )
    return top_up_id


async def lines(admin, top_up_id):
    return await admin.fetchval("SELECT count(*) FROM provider_line WHERE reference_id = $1", top_up_id)


@pytest.mark.timeout(300)
async def test_a_second_charge_survives_a_kill_before_it_is_booked(database, payment_environment, provider, tmp_path):
    made = await database("payment")
    admin, locker = await asyncpg.connect(made.admin_dsn), await asyncpg.connect(made.admin_dsn)
    for each in (admin, locker):
        await each.execute("SET search_path = payment")
    for slot in range(SLOTS):  # whichever of them the process posts to
        op = Suspend(op_id=uuid4(), provider="sandbox", amount_minor=70, currency="THB")
        await admin.execute(
            "INSERT INTO provider_line (provider, charge_id, amount_minor, currency, transfer_id, seen_at,"
            " suspense_reason, review_state) VALUES ('sandbox', $1, 70, 'THB', $2, $3, 'unknown_reference', 'open')",
            f"ch_{slot}",
            op.op_id,
            NOON,
        )
        await CommittingLedger(slot=slot).execute(admin, [op], now=NOON)
    lost, found = [await ask(admin, await add_person(admin)) for _ in range(2)]
    ops_port = free_port()
    environment = payment_environment(made, SANDBOX_URL=provider.url, OPS_PORT=str(ops_port))
    service = Child("payment", "jobs", environment=environment, log=tmp_path / "payment.log")

    async with locker.transaction():
        assert await locker.fetch("SELECT id FROM account WHERE kind = 'suspense' FOR UPDATE")
        await service.start()

        async def first_is_booked():
            return [await lines(admin, each) for each in (lost, found)] == [1, 1]

        await eventually(first_is_booked, timeout_s=60, every_s=0.01, what="the first charge of each")
        await service.kill()
    # The control: without its timer nobody asks for it again, however long the other's is waited for.
    timer = await admin.fetchval("SELECT confirm_at FROM top_up WHERE id = $1", lost)
    await admin.execute("DELETE FROM job_failure")
    await admin.execute("UPDATE top_up SET confirm_at = NULL WHERE id = $1", lost)
    asked = provider.asked[str(lost)]
    await service.start()

    async def is_booked(top_up_id):
        return await lines(admin, top_up_id) == 2

    await eventually(lambda: is_booked(found), timeout_s=90, what="the second charge")
    assert (await lines(admin, lost), provider.asked[str(lost)]) == (1, asked)
    await admin.execute("UPDATE top_up SET confirm_at = $2 WHERE id = $1", lost, timer)
    await eventually(lambda: is_booked(lost), timeout_s=60, what="the second charge of the control")

    async def confirmed():
        return await admin.fetchval("SELECT count(*) FROM top_up WHERE confirm_at IS NOT NULL") == 0

    await eventually(confirmed, timeout_s=90, what="no more to ask")
    assert await service.stop(timeout_s=30) == 0
    reasons = await admin.fetch("SELECT suspense_reason FROM provider_line WHERE reference_id IS NOT NULL")
    assert sorted(str(row[0]) for row in reasons) == ["None", "None", "second_charge", "second_charge"]
    findings = await check_invariants(admin, CHECKS)
    assert not broken(findings), report(findings)
    for each in (admin, locker):
        await each.close()
