"""One delivery that cannot be sent, or that a sender dies with, is that delivery's fault alone (NTF-1, NTF-3)."""

import asyncio
import contextlib
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from kernel.clock import SystemClock
from kernel.ids import uuid7
from kernel.notifier import Notifier
from kernel.tasks import stop_tasks
from notification.adapters.delivery_store import DeliveryStore
from notification.domain.delivery import ATTEMPTS_MAX, LEASE_S, Sent, TryAgain
from notification.domain.notification import Channel
from notification.entrypoints import roles
from notification.entrypoints.jobs import lane as lane_module
from notification.entrypoints.jobs.lane import Lane
from notification_testing.builders import a_code
from testkit.wait import eventually

GOOD = 19
PROCESS_CUT_S = 5.0
LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


class Gateway:
    """Notes what it sent; does with the one at fault what a test says."""

    channel = Channel.EMAIL

    def __init__(self, fault):
        self.sent, self.begun, self._fault = [], [], fault

    async def send(self, delivery, _recipient):
        self.begun.append(delivery.delivery_id)
        if delivery.payload["destination"] == "bad":
            return await self._fault(delivery)
        self.sent.append(delivery.delivery_id)
        return Sent(f"<{delivery.delivery_id}>")


class Later(SystemClock):
    """The present clock, some seconds on."""

    def __init__(self, seconds):
        self._by = timedelta(seconds=seconds)

    def now(self):
        return super().now() + self._by


def code_for(destination, **more):
    expires_at = datetime.now(UTC) + timedelta(days=2)
    return a_code(destination, created_at=LONG_AGO, expires_at=expires_at, attempts=0, **more)


async def queued(app):
    """One at fault among twenty, in the midst of them."""
    bad = code_for("bad")
    async with app.begin() as tx:
        for number in range(GOOD + 1):
            await tx.deliveries.add([bad if number == GOOD // 2 else code_for(f"good-{number}")])
    return bad.delivery_id


async def send(app, gateway, *, seconds_later=0.0, send_s=0.5):
    lane = lane_of(app, gateway, clock=Later(seconds_later), room=GOOD + 1, send_s=send_s)
    try:
        await lane.take_up()
        await lane.finish()
    finally:
        await lane.stop()


def lane_of(app, gateway, *, clock=None, **how):
    return Lane(app.begin, gateway, clock or SystemClock(), urgent=True, **how)


async def statuses(app):
    async with app.database.read() as conn:
        rows = await conn.fetch("SELECT delivery_id, status, attempts, failure_code FROM delivery")
    return {row["delivery_id"]: (row["status"], row["attempts"], row["failure_code"]) for row in rows}


async def raises(_delivery):
    raise UnicodeEncodeError("ascii", "ü", 0, 1, "ordinal not in range(128)")


async def raises_a_group(_delivery):
    raise ExceptionGroup("both", [ValueError("one"), OSError("other")])


async def hangs(_delivery):
    await asyncio.Event().wait()


async def answers_nonsense(_delivery):
    return "yes"


async def names_it_unstorably(_delivery):
    return Sent("\x00")


@pytest.mark.parametrize("fault", [raises, raises_a_group, hangs, answers_nonsense, names_it_unstorably])
async def test_the_other_nineteen_are_sent_once_and_the_one_ends_as_failed(idle_app, fault):
    bad, gateway = await queued(idle_app), Gateway(fault)
    for attempt in range(ATTEMPTS_MAX + 2):
        await send(idle_app, gateway, seconds_later=attempt * 1_000)
    found = await statuses(idle_app)
    status, attempts, failure_code = found.pop(bad)
    assert (status, attempts) == ("failed", ATTEMPTS_MAX + (fault is names_it_unstorably))
    assert failure_code.startswith("notification.delivery.")
    assert set(found.values()) == {("sent", 1, "")}
    assert len(gateway.sent) == len(set(gateway.sent)) == GOOD


async def test_negative_control_without_outcomes_of_its_own_the_one_takes_all_along(idle_app):
    """As it was: gathered, recorded together, attempts counted afterwards."""
    await queued(idle_app)
    gateway = Gateway(raises)
    for _ in range(3):
        async with idle_app.begin() as tx:
            due = await tx.deliveries.lease(
                channel=Channel.EMAIL, urgent=True, limit=GOOD + 1, now=Later(LEASE_S * 2).now()
            )
        with pytest.raises(UnicodeError):
            await asyncio.gather(*(gateway.send(each, None) for each in due))
        async with idle_app.database.begin() as conn:
            await conn.execute("UPDATE delivery SET next_attempt_at = now() - interval '1 second'")
    assert len(gateway.sent) == 3 * GOOD


async def test_what_is_sent_is_recorded_while_another_hangs(idle_app):
    bad, gateway = await queued(idle_app), Gateway(hangs)
    sending = asyncio.create_task(send(idle_app, gateway, send_s=30))
    while [status for status, *_ in (await statuses(idle_app)).values()].count("sent") < GOOD:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    assert not sending.done()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert (await statuses(idle_app))[bad] == ("pending", 1, "")


@pytest.mark.parametrize("again_s", [0.5, 0.01], ids=["cancelled-once", "cancelled-again-and-again"])
async def test_a_sender_that_is_cut_records_what_it_knows_before_it_gives_up_the_rest(idle_app, again_s):
    """Cut while results are gathered, as one of a process whose time to drain is over."""
    bad, gateway = await queued(idle_app), Gateway(hangs)
    sending = asyncio.create_task(send(idle_app, gateway, send_s=30))
    await eventually(lambda: len(gateway.sent) == GOOD, what="all but one sent")
    assert not await stop_tasks(sending, again_s=again_s)
    found = await statuses(idle_app)
    assert found.pop(bad) == ("pending", 1, "")
    assert set(found.values()) == {("sent", 1, "")}
    later = Gateway(hangs)
    await send(idle_app, later, seconds_later=LEASE_S + 1)
    assert later.sent == []


async def test_negative_control_a_sender_that_forgets_what_it_knows_sends_it_again(idle_app):
    """As it was: cut while it gathers, with all that had ended."""
    await queued(idle_app)
    gateway = Gateway(hangs)
    lane = lane_of(idle_app, gateway, room=GOOD + 1, send_s=30)
    await lane.take_up()
    await eventually(lambda: len(gateway.sent) == GOOD, what="all but one sent")
    sending, lane._sending = lane._sending, {}
    await stop_tasks(*sending)
    await send(idle_app, gateway, seconds_later=LEASE_S + 1)
    assert len(gateway.sent) == 2 * GOOD


async def test_a_sender_that_is_cut_while_it_records_records_again(idle_app):
    """The transaction it was cut in is rolled back; the second holds."""
    await queued(idle_app)
    gateway, recording, begin = Gateway(answers_nonsense), asyncio.Event(), idle_app.begin

    @asynccontextmanager
    async def slow_at_first():
        async with begin() as tx:
            yield tx
            if gateway.sent and not recording.is_set():
                recording.set()
                await asyncio.Event().wait()

    lane = Lane(slow_at_first, gateway, SystemClock(), urgent=True, room=GOOD + 1)
    await lane.take_up()

    async def record_until_cut():
        try:
            await lane.finish()
        finally:
            await lane.stop()

    cut = asyncio.create_task(record_until_cut())
    await asyncio.wait_for(recording.wait(), 10)
    assert not await stop_tasks(cut)
    assert [status for status, *_ in (await statuses(idle_app)).values()].count("sent") == GOOD
    assert lane.under_way == 0


async def test_a_sender_that_is_cut_while_the_database_is_away_ends_in_time(idle_app):
    await queued(idle_app)
    gateway, begin = Gateway(hangs), idle_app.begin

    def away_after_sending():
        if gateway.sent:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return begin()

    lane = Lane(away_after_sending, gateway, SystemClock(), urgent=True, room=GOOD + 1, send_s=30)
    await lane.take_up()
    await eventually(lambda: len(gateway.sent) == GOOD, what="all but one sent")
    stopping = asyncio.create_task(lane.stop())
    assert not (await asyncio.wait({stopping}, timeout=PROCESS_CUT_S))[1]
    assert {status for status, *_ in (await statuses(idle_app)).values()} == {"pending"}


async def test_a_sender_that_dies_each_time_tries_a_delivery_no_more_than_the_attempts_it_has(idle_app):
    """Each is gone with what it had leased, and records nothing."""
    await queued(idle_app)
    for number in range(ATTEMPTS_MAX):
        async with idle_app.begin() as tx:
            leased = await tx.deliveries.lease(
                channel=Channel.EMAIL, urgent=True, limit=GOOD + 1, now=Later(number * 1_000).now()
            )
        assert len(leased) == GOOD + 1
    gateway = Gateway(raises)
    await send(idle_app, gateway, seconds_later=100_000)
    assert gateway.sent == []
    assert set((await statuses(idle_app)).values()) == {
        ("failed", ATTEMPTS_MAX + 1, "notification.delivery.attempts_used_up")
    }


async def test_a_row_that_cannot_be_read_ends_and_the_rest_is_sent(idle_app):
    bad, gateway = await queued(idle_app), Gateway(raises)
    async with idle_app.database.begin() as conn:
        await conn.execute("UPDATE delivery SET payload = '[1, 2]' WHERE delivery_id = $1", bad)
    await send(idle_app, gateway)
    found = await statuses(idle_app)
    assert found.pop(bad) == ("failed", 1, "notification.delivery.unreadable")
    assert {status for status, *_ in found.values()} == {"sent"}


async def test_a_result_the_database_refuses_leaves_the_others_recorded(idle_app, owner):
    bad, gateway = await queued(idle_app), Gateway(raises)
    await owner.execute(
        f"""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN IF OLD.delivery_id = '{bad}' AND NEW.failure_code <> '' THEN RAISE 'poisoned'; END IF;
            RETURN NEW; END$$"""
    )
    await owner.execute("CREATE TRIGGER refuse BEFORE UPDATE ON delivery FOR EACH ROW EXECUTE FUNCTION refuse()")
    await send(idle_app, gateway)
    found = await statuses(idle_app)
    assert found.pop(bad) == ("pending", 1, "")
    assert set(found.values()) == {("sent", 1, "")}


async def test_a_database_that_is_away_after_the_sending_is_asked_until_it_is_back(idle_app):
    await queued(idle_app)
    gateway, refusals = Gateway(answers_nonsense), 4
    begin = idle_app.begin

    def unsteady():
        nonlocal refusals
        if gateway.sent and refusals:
            refusals -= 1
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return begin()

    lane = Lane(unsteady, gateway, SystemClock(), urgent=True, room=GOOD + 1)
    await lane.take_up()
    await lane.finish()
    assert refusals == 0
    assert [status for status, *_ in (await statuses(idle_app)).values()].count("sent") == GOOD


async def test_a_late_result_of_a_lease_that_ran_out_does_not_set_back_the_next_attempt(idle_app):
    await queued(idle_app)
    async with idle_app.begin() as tx:
        first = await tx.deliveries.lease(channel=Channel.EMAIL, urgent=True, limit=1, now=SystemClock().now())
    async with idle_app.begin() as tx:
        (again,) = [
            each
            for each in await tx.deliveries.lease(
                channel=Channel.EMAIL, urgent=True, limit=GOOD + 1, now=Later(LEASE_S + 1).now()
            )
            if each.delivery_id == first[0].delivery_id
        ]
    async with idle_app.begin() as tx:
        assert await DeliveryStore(tx.conn).finish([(first[0], TryAgain(LONG_AGO, "x"))], at=LONG_AGO) == set()
        assert len(await DeliveryStore(tx.conn).finish([(again, TryAgain(LONG_AGO, "x"))], at=LONG_AGO)) == 1
    assert replace(first[0], attempts=2) == again


async def test_those_that_hang_leave_room_and_what_there_is_no_room_for_has_used_up_no_attempt(idle_app):
    """Three hang, room is for four: the others are sent one after the other all the same."""
    hanging = [code_for("bad") for _ in range(3)]
    async with idle_app.begin() as tx:
        for each in (*hanging, *(code_for(f"good-{number}") for number in range(GOOD))):
            await tx.deliveries.add([each])
    gateway = Gateway(hangs)
    lane = lane_of(idle_app, gateway, room=4, send_s=30)
    try:
        await lane.take_up()
        assert lane.under_way == 4
        assert sorted(attempts for _, attempts, _ in (await statuses(idle_app)).values())[-5:] == [0, 1, 1, 1, 1]
        while len(gateway.sent) < GOOD:
            await lane.wait(Notifier(), timeout_s=5)
            await lane.record_ended()
            await lane.take_up()
            assert lane.under_way <= 4
    finally:
        await lane.stop()
    assert len(set(gateway.sent)) == GOOD
    assert {(await statuses(idle_app))[each.delivery_id][1] for each in hanging} == {1}


async def test_negative_control_where_those_that_hang_fill_the_room_nothing_else_is_sent(idle_app):
    await queued(idle_app)
    gateway = Gateway(hangs)
    async with idle_app.database.begin() as conn:
        await conn.execute("""UPDATE delivery SET payload = payload || '{"destination": "bad"}'""")
    lane = lane_of(idle_app, gateway, room=3, send_s=30)
    try:
        await lane.take_up()
        await lane.wait(Notifier(), timeout_s=0.3)
        await lane.record_ended()
        await lane.take_up()
        assert lane.under_way == 3
        assert gateway.sent == []
        assert sum(attempts for _, attempts, _ in (await statuses(idle_app)).values()) == 3
    finally:
        await lane.stop()


@pytest.mark.parametrize(
    "value",
    [
        "attempts = 2147483647",
        "attempts = -1",
        "next_attempt_at = '-infinity'",
        "expires_at = 'infinity'",
        "expires_at = '20000-01-01'",
        "created_at = '-infinity'",
    ],
)
async def test_no_delivery_has_a_value_that_stops_those_leased_with_it(idle_app, value):
    bad = await queued(idle_app)
    with pytest.raises(asyncpg.CheckViolationError):
        async with idle_app.database.begin() as conn:
            await conn.execute(f"UPDATE delivery SET {value} WHERE delivery_id = $1", bad)


async def test_one_that_was_never_recorded_is_leased_on_at_the_highest_number_of_attempts(idle_app):
    bad, gateway = await queued(idle_app), Gateway(raises)
    async with idle_app.database.begin() as conn:
        await conn.execute("UPDATE delivery SET attempts = 1000 WHERE delivery_id = $1", bad)
    await send(idle_app, gateway)
    found = await statuses(idle_app)
    assert found.pop(bad) == ("failed", 1000, "notification.delivery.attempts_used_up")
    assert set(found.values()) == {("sent", 1, "")}


async def test_what_is_under_way_for_longer_than_a_lease_is_taken_up_by_no_other(idle_app):
    assert await _taken_by_another(idle_app, renew_s=0.0) == []


async def test_negative_control_without_renewing_another_sends_it_too(idle_app):
    assert len(await _taken_by_another(idle_app, renew_s=3_600.0)) == 1


async def _taken_by_another(app, *, renew_s):
    """What a second sender sends of a delivery that the first has had under way for more than a lease."""
    async with app.begin() as tx:
        await tx.deliveries.add([code_for("bad")])
    other, clock = Gateway(hangs), Later(0)
    first = lane_of(app, Gateway(hangs), clock=clock, send_s=90, renew_s=renew_s)
    second = lane_of(app, other, clock=Later(LEASE_S + 10), send_s=90)
    other._fault = lambda each: _note(other, each)
    try:
        await first.take_up()
        clock._by = timedelta(seconds=LEASE_S - 5)
        await first.take_up()
        await second.take_up()
        await asyncio.sleep(0.1)
    finally:
        await first.stop()
        await second.stop()
    return other.sent


async def _note(gateway, delivery):
    gateway.sent.append(delivery.delivery_id)
    return Sent(f"<{delivery.delivery_id}>")


@pytest.mark.parametrize("rolled_back", [True, False])
async def test_a_lease_is_longer_only_once_that_is_committed(idle_app, rolled_back):
    """Whose transaction rolls back renews at the next look; and none leases anew what it has under way itself."""
    async with idle_app.begin() as tx:
        await tx.deliveries.add([code_for("bad")])
    gateway, clock = Gateway(hangs), Later(0)
    lane = lane_of(idle_app, gateway, clock=clock, send_s=90, renew_s=0.2)
    begin = lane._begin
    try:
        await lane.take_up()
        await asyncio.sleep(0.3)
        lane._begin = failing(begin) if rolled_back else begin
        with pytest.raises(OSError, match="gone") if rolled_back else contextlib.nullcontext():
            await lane.take_up()
        assert bool(lane._to_renew()) == rolled_back
        lane._begin = begin
        clock._by = timedelta(seconds=2 * LEASE_S)
        await lane.take_up()
        assert (lane.under_way, len(gateway.begun)) == (1, 1)
    finally:
        await lane.stop()


def failing(begin):
    """A transaction that rolls back where it would commit."""

    @contextlib.asynccontextmanager
    async def transaction():
        async with begin() as tx:
            yield tx
            raise OSError("gone")

    return transaction


async def test_a_sender_that_ends_leases_on_what_it_waits_for(idle_app):
    async with idle_app.begin() as tx:
        await tx.deliveries.add([code_for("bad")])
    clock = Later(0)
    lane = lane_of(idle_app, Gateway(hangs), clock=clock, send_s=30, renew_s=0.1)
    try:
        await lane.take_up()
        ending = asyncio.create_task(lane.finish())
        clock._by = timedelta(seconds=LEASE_S - 5)

        async def leased_on():
            async with idle_app.begin() as tx:
                now = Later(LEASE_S + 10).now()
                return not await tx.deliveries.lease(channel=Channel.EMAIL, urgent=True, limit=1, now=now)

        await asyncio.sleep(0.5)
        assert await leased_on()
    finally:
        await stop_tasks(ending)
        await lane.stop()


@pytest.mark.parametrize(("slow_s", "sent"), [(0.05, GOOD), (60.0, 0)], ids=["leave", "negative-control-stay"])
async def test_those_that_take_long_leave_their_places_to_others(idle_app, slow_s, sent):
    async with idle_app.begin() as tx:
        for _ in range(4):
            await tx.deliveries.add([code_for("bad")])
    gateway = Gateway(hangs)
    lane = lane_of(idle_app, gateway, room=4, send_s=30, slow_s=slow_s)
    try:
        await lane.take_up()
        assert lane.under_way == 4
        await queued(idle_app)
        await asyncio.sleep(0.1)
        for _ in range(20):
            await lane.take_up()
            await lane.wait(Notifier(), timeout_s=0.05)
            await lane.record_ended()
        assert len(gateway.sent) == sent
    finally:
        await lane.stop()


async def test_there_is_an_end_to_the_places_that_are_left(idle_app, monkeypatch):
    monkeypatch.setattr(lane_module, "ROOM_SLOW", 2)
    async with idle_app.begin() as tx:
        for _ in range(9):
            await tx.deliveries.add([code_for("bad")])
    lane = lane_of(idle_app, Gateway(hangs), room=4, send_s=30, slow_s=0.0)
    try:
        for _ in range(5):
            await lane.take_up()
            await asyncio.sleep(0.01)
        assert lane.under_way == 6
    finally:
        await lane.stop()


async def test_a_channel_that_hangs_takes_no_room_of_another(idle_app):
    """More codes by SMS than its lane has room for, and all hang: a code by mail is sent at once."""
    async with idle_app.begin() as tx:
        for _ in range(lane_module.ROOM + 3):
            await tx.deliveries.add([replace(code_for("bad"), delivery_id=uuid7(), channel=Channel.SMS)])
        await tx.deliveries.add([code_for("good")])
    by_sms, by_mail = Gateway(hangs), Gateway(hangs)
    by_sms.channel = Channel.SMS
    lanes = [lane_of(idle_app, each, send_s=30) for each in (by_sms, by_mail)]
    try:
        for each in lanes:
            await each.take_up()
        await asyncio.sleep(0.05)
        assert len(by_mail.sent) == 1
        assert [each.under_way for each in lanes] == [lane_module.ROOM, 1]
        attempts = sorted(attempts for _, attempts, _ in (await statuses(idle_app)).values())
        assert attempts == [0] * 3 + [1] * (lane_module.ROOM + 1)
    finally:
        for each in lanes:
            await each.stop()


async def test_each_channel_has_a_sender_for_codes_and_one_for_the_rest(idle_app):
    names = [each.name for each in roles.jobs(idle_app)]
    assert {f"send-{channel}-{lane}" for channel in ("email", "sms") for lane in ("urgent", "normal")} <= set(names)
