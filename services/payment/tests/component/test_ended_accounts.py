"""An account that ended: its wallets take nothing and send nothing, also those that were just being opened."""

from __future__ import annotations

import asyncio

import pytest

from payment.adapters.wallet_store import WalletStore
from payment.domain.accounts import Payer, wallet_id
from payment.usecases.suspend_payer import SuspendPayer, suspend_payer
from payment_testing.people import balance, give
from testkit.wait import eventually


@pytest.fixture
async def person(world):
    made = await world.person()
    async with world.app.database.begin() as conn:
        await give(conn, made, 10_000)
    return made


async def end(world, person):
    async with world.app.begin() as tx:
        await suspend_payer(SuspendPayer(user_id=person), tx)


async def test_nothing_begins_any_more_and_what_was_there_stays(world, person):
    friend = await world.person()
    async with world.app.database.begin() as conn:
        await give(conn, friend, 10_000)
    await end(world, person)
    money = {"amount_minor": 100, "currency": "THB"}
    attempts = (
        ("/v1/transfers", {"recipient_id": str(friend), "amount": money}, person, "payment.wallet.not_active"),
        ("/v1/transfers", {"recipient_id": str(person), "amount": money}, friend, "payment.wallet.not_active"),
        ("/v1/top-ups", {"amount": money, "payment_token": "tok"}, person, "payment.wallet.not_active"),
        ("/v1/wallets", {"currency": "USD"}, person, "payment.account.ended"),
    )
    for path, body, who, code in attempts:
        answered = await world.call("POST", path, body, token=world.token(who))
        assert (answered.status, answered.code) == (409, code), answered.content
    async with world.app.database.read() as conn:
        assert await balance(conn, person) == (10_000, 0)
        assert await balance(conn, friend) == (10_000, 0)
    await end(world, person)  # told twice
    async with world.app.database.read() as conn:
        told = await conn.fetchval("SELECT count(*) FROM outbox WHERE key = $1", str(wallet_id(person, "THB")))
    assert told == 1


async def race(world):
    """A wallet being opened while the account ends: how many wallets are open when both are over."""
    person = await world.person()
    async with world.app.database.begin() as conn:
        await conn.execute("UPDATE payer SET country = 'TH' WHERE user_id = $1", person)
    body = {"currency": "USD"}
    await asyncio.gather(world.call("POST", "/v1/wallets", body, token=world.token(person)), end(world, person))
    async with world.app.database.read() as conn:
        return await conn.fetchval(
            "SELECT count(*) FROM account WHERE user_id = $1 AND kind = 'wallet' AND status = 'active'", person
        )


async def slowly(monkeypatch, *, lock):
    """Between knowing the payer and opening the wallet something else may happen."""
    known = WalletStore.lock_payer

    async def lock_payer(self, user_id):
        if lock:
            payer = await known(self, user_id)
        else:
            row = await self._conn.fetchrow(
                "SELECT user_id, country, kyc_tier, ended_at IS NOT NULL AS ended FROM payer WHERE user_id = $1",
                user_id,
            )
            payer = Payer(**row)
        await asyncio.sleep(0.2)
        return payer

    monkeypatch.setattr(WalletStore, "lock_payer", lock_payer)


async def test_a_wallet_that_was_being_opened_is_not_left_open(world, monkeypatch):
    await slowly(monkeypatch, lock=True)
    assert [await race(world) for _ in range(5)] == [0] * 5


async def test_control_without_the_lock_it_is_left_open(world, monkeypatch):
    await slowly(monkeypatch, lock=False)

    async def left_open():
        return await race(world) > 0

    await eventually(left_open, timeout_s=20, what="a wallet left open")
