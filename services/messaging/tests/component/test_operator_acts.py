"""Everything an operator or a moderator does in messaging is on record: who, why, before and after, refused or done."""

import argparse
import uuid

import pytest

from messaging.__main__ import SERVICE
from messaging.lifecycle.entrypoints import cli

pytestmark = pytest.mark.component
HOLD = "/v1/ops/messaging/dialogs/{dialog_id}/legal-hold"
DECISION = "/v1/ops/messaging/reports/{report_id}/decision"
REDRIVE = "/v1/ops/messaging/dead-letters/{letter_id}/redrive"


@pytest.fixture
def operator(world):
    return world.issuer.token_for(uuid.uuid4(), roles=("user", "ops", "moderator"))


async def acts(world, operator, **target):
    """Of this target, the oldest first."""
    answer = await world.call("GET", "/v1/ops/messaging/acts?limit=200", token=operator)
    wanted = {name: str(value) for name, value in target.items()}
    return [each for each in reversed(answer.json["items"]) if wanted.items() <= each["target"].items()]


async def a_report(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    sent = await other.send(dialog_id, "buy now")
    body = {"dialog_id": dialog_id, "seq": sent["seq"], "reason": "spam"}
    return dialog_id, (await one.ok("POST", "/v1/messages/reports", body))["report_id"]


async def test_every_unsafe_route_for_operators_leaves_an_act_on_record(world, operator):
    """A route that is new must be added here."""
    dialog_id, report_id = await a_report(world)
    requests = {
        ("PUT", HOLD): (f"{HOLD}?reason=court%20order", None, {"dialog_id": dialog_id}),
        ("DELETE", HOLD): (HOLD, None, {"dialog_id": dialog_id}),
        ("POST", DECISION): (DECISION, {"status": "upheld", "reason": "spam it is"}, {"report_id": report_id}),
        ("POST", REDRIVE): (REDRIVE, {"reason": "mended"}, {"letter_id": 10**9}),
    }
    unsafe = {
        (route.method, route.path)
        for table in SERVICE.routes
        for route in table
        if route.path.startswith("/v1/ops/") and route.method != "GET"
    }
    assert unsafe == requests.keys()
    for (method, _), (path, body, target) in requests.items():
        before = len(await acts(world, operator, **target))
        await world.call(method, path.format(**target), body, token=operator)
        assert len(await acts(world, operator, **target)) == before + 1, path


async def test_holds_say_how_it_stood_and_why(world, operator):
    dialog_id, _ = await a_report(world)
    path = HOLD.format(dialog_id=dialog_id)
    await world.call("PUT", f"{path}?reason=court%20order", token=operator)
    await world.call("PUT", path, token=operator)
    await world.call("DELETE", path, token=operator)
    assert (
        await cli.command_hold(
            world.app, argparse.Namespace(act="put", dialog=uuid.UUID(dialog_id), reason="again", out=None)
        )
        == 0
    )
    found = await acts(world, operator, dialog_id=dialog_id)
    assert [(each["action"], each["outcome"], each["reason"]) for each in found] == [
        ("legal_hold.put", "done", "court order"),
        ("legal_hold.put", "unchanged", ""),
        ("legal_hold.lift", "done", ""),
        ("legal_hold.put", "done", "again"),
    ]
    assert [(each["before"]["held"], each["after"]["held"]) for each in found] == [
        ("False", "True"),
        ("True", "True"),
        ("True", "False"),
        ("False", "True"),
    ]
    assert [each["via"] for each in found] == ["http"] * 3 + ["command"]


async def test_what_is_refused_is_on_record_too(world, operator):
    unknown = uuid.uuid4()
    for method in ("PUT", "DELETE"):
        answer = await world.call(method, HOLD.format(dialog_id=unknown), token=operator)
        assert answer.status == 404
    assert [each["outcome"] for each in await acts(world, operator, dialog_id=unknown)] == [
        "messaging.dialog.absent"
    ] * 2
    assert (
        await world.call("POST", DECISION.format(report_id=unknown), {"status": "upheld"}, token=operator)
    ).status == 404
    (refused,) = await acts(world, operator, report_id=unknown)
    assert refused["outcome"] == "messaging.report.not_found"


async def test_reports_that_were_read_and_decided_are_on_record(world, operator):
    _, report_id = await a_report(world)
    await world.call("GET", f"/v1/ops/messaging/reports/{report_id}/messages", token=operator)
    await world.call("POST", DECISION.format(report_id=report_id), {"status": "dismissed"}, token=operator)
    read, decided = await acts(world, operator, report_id=report_id)
    assert (read["action"], decided["action"]) == ("report.read", "report.decide")
    assert (decided["before"], decided["after"]) == ({"status": "open"}, {"status": "dismissed"})
