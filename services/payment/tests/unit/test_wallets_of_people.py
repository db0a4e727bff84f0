"""People who sign up, change or leave, and what becomes of their wallets."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from payment.domain.accounts import (
    AccountEndedError,
    CurrencyNotOfferedError,
    Payer,
    WalletAlreadyOpenError,
    WalletNotFoundError,
    wallet_id,
)
from payment.usecases.change_payer import ChangePayer, change_payer
from payment.usecases.open_wallet import OpenWallet, open_wallet
from payment.usecases.register_payer import RegisterPayer, register_payer
from payment.usecases.suspend_payer import SuspendPayer, suspend_payer
from payment_testing.fakes import FakePayment

ANN = Payer(user_id=uuid4(), country="TH", kyc_tier=1)


@pytest.fixture
def payment():
    return FakePayment()


async def test_signing_up_opens_the_wallet_of_the_country_once(payment):
    for _ in range(2):
        await register_payer(RegisterPayer(payer=ANN), payment.tx)
    assert payment.events.told == [("wallet_opened", wallet_id(ANN.user_id, "THB"), "THB")]


async def test_a_change_that_came_before_the_sign_up_is_kept(payment):
    changed = replace(ANN, kyc_tier=3)
    await change_payer(ChangePayer(payer=changed), payment.tx)
    await register_payer(RegisterPayer(payer=ANN), payment.tx)
    assert payment.wallets.payers[ANN.user_id] == changed


async def test_who_leaves_has_every_wallet_suspended_once_and_opens_none(payment):
    await register_payer(RegisterPayer(payer=ANN), payment.tx)
    await open_wallet(OpenWallet(user_id=ANN.user_id, currency="USD"), payment.tx)
    for _ in range(2):
        await suspend_payer(SuspendPayer(user_id=ANN.user_id), payment.tx)
    told = [about for event, about, _ in payment.events.told if event == "wallet_suspended"]
    assert told == [wallet_id(ANN.user_id, currency) for currency in ("THB", "USD")]
    with pytest.raises(AccountEndedError):
        await open_wallet(OpenWallet(user_id=ANN.user_id, currency="USD"), payment.tx)


@pytest.mark.parametrize(
    ("user_id", "currency", "refusal"),
    [
        (uuid4(), "USD", WalletNotFoundError),
        (ANN.user_id, "SGD", CurrencyNotOfferedError),
        (ANN.user_id, "THB", WalletAlreadyOpenError),
    ],
)
async def test_a_wallet_that_is_not_opened(payment, user_id, currency, refusal):
    await register_payer(RegisterPayer(payer=ANN), payment.tx)
    payment.events.told.clear()
    with pytest.raises(refusal):
        await open_wallet(OpenWallet(user_id=user_id, currency=currency), payment.tx)
    assert payment.events.told == []


async def test_a_wallet_that_is_opened_is_told(payment):
    await register_payer(RegisterPayer(payer=ANN), payment.tx)
    opened = await open_wallet(OpenWallet(user_id=ANN.user_id, currency="USD"), payment.tx)
    assert opened == wallet_id(ANN.user_id, "USD")
    assert payment.events.told[-1] == ("wallet_opened", opened, "USD")
