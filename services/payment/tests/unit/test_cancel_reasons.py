"""Whatever the ledger refuses a payment with, the buyer of the cancelled order reads what it was."""

from __future__ import annotations

import pytest

from contracts.reasons import reason_text
from payment.domain.outcome import _ERRORS, Outcome
from payment.entrypoints.consumers.commands import CommandInvalidError

GENERAL = "The payment did not go through."
LIMIT = "The payment would go over a limit of your wallet."
OWN = {
    Outcome.WALLET_NOT_FOUND: "You have no such wallet in the order's currency. Open or choose another and order again.",
    Outcome.WALLET_NOT_ACTIVE: "Your wallet is suspended or closed.",
    Outcome.INSUFFICIENT_FUNDS: "There was not enough money in your wallet. Top it up and order again.",
    Outcome.LIMIT_TRANSACTION: LIMIT,
    Outcome.LIMIT_DAILY: LIMIT,
    Outcome.LIMIT_MONTHLY: LIMIT,
    Outcome.LIMIT_ROLLING: LIMIT,
    Outcome.LIMIT_BALANCE: LIMIT,
}


@pytest.mark.parametrize("outcome", _ERRORS)
def test_every_refusal_has_a_sentence(outcome: Outcome) -> None:
    assert reason_text(_ERRORS[outcome].code, "en", of="payment") == OWN.get(outcome, GENERAL)


def test_what_cannot_be_read_has_one_too() -> None:
    assert reason_text(CommandInvalidError.code, "en", of="commerce") == GENERAL
