"""Tickets: one use, seconds, and only those this service made, whoever else can write to Redis."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from chassis.redis import connect
from chassis.tokens import Principal
from kernel.clock import FixedClock
from kernel.country import Country
from messaging.realtime.adapters.ticket_cache import LIFE_S, Tickets
from messaging.realtime.domain.refusals import TicketInvalidError

SECRET = b"of messaging alone"


def somebody():
    return Principal(
        user_id=uuid.uuid4(),
        session_id=uuid.uuid4(),
        country=Country.TH,
        kyc_tier=2,
        roles=frozenset({"user"}),
        access_epoch=1,
        token_id=uuid.uuid4().hex,
        expires_at=datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5),
    )


def name_of(ticket):
    return "messaging:ticket:" + hashlib.sha256(ticket.encode()).hexdigest()


@pytest.fixture
async def redis(redis_url):
    client = connect(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def clock():
    return FixedClock(datetime.now(UTC))


@pytest.fixture
def tickets(redis, clock):
    return Tickets(redis, SECRET, clock)


async def test_it_stands_for_whom_it_was_made_once(tickets):
    principal = somebody()
    ticket = await tickets.issue(principal)
    assert await tickets.redeem(ticket) == principal
    with pytest.raises(TicketInvalidError):
        await tickets.redeem(ticket)


async def test_one_that_another_service_wrote_opens_nothing(tickets, redis):
    """The shape is right, the signature cannot be."""
    said = orjson.dumps(
        {
            "user_id": str(uuid.uuid4()),
            "session_id": str(uuid.uuid4()),
            "country": "TH",
            "kyc_tier": 3,
            "roles": ["user", "ops"],
            "token_id": "x",
            "expires_at": datetime.now(UTC).timestamp() + 365 * 86_400,
            "issued_at": datetime.now(UTC).timestamp(),
        }
    )
    for held in (said, bytes(32) + said, hashlib.sha256(said).digest() + said, b"", b"short"):
        await redis.set(name_of("made up"), held, ex=60)
        with pytest.raises(TicketInvalidError):
            await tickets.redeem("made up")


async def test_one_signed_for_another_ticket_opens_nothing(tickets, redis):
    ticket = await tickets.issue(somebody())
    await redis.set(name_of("mine"), await redis.get(name_of(ticket)), ex=60)
    with pytest.raises(TicketInvalidError):
        await tickets.redeem("mine")


async def test_one_changed_opens_nothing(tickets, redis):
    ticket = await tickets.issue(somebody())
    held = await redis.get(name_of(ticket))
    await redis.set(name_of(ticket), held.replace(b'"user"', b'"ops" '), ex=60)
    with pytest.raises(TicketInvalidError):
        await tickets.redeem(ticket)


async def test_one_kept_alive_in_redis_is_too_old_all_the_same(tickets, redis, clock):
    early, late = await tickets.issue(somebody()), await tickets.issue(somebody())
    for ticket in (early, late):
        assert 0 < await redis.ttl(name_of(ticket)) <= LIFE_S
        await redis.persist(name_of(ticket))
    clock.advance(LIFE_S - 1)
    assert await tickets.redeem(early)
    clock.advance(2)
    with pytest.raises(TicketInvalidError):
        await tickets.redeem(late)


async def test_another_services_secret_does_not_fit(tickets, redis, clock):
    theirs = Tickets(redis, b"of somebody else", clock)
    with pytest.raises(TicketInvalidError):
        await tickets.redeem(await theirs.issue(somebody()))
