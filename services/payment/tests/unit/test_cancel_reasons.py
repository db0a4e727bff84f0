"""Whatever the ledger refuses a payment with, the buyer of the cancelled order reads what it was."""

from __future__ import annotations

import pytest

from contracts.cancel_reasons import known_part
from payment.domain.outcome import _ERRORS, Outcome
from payment.entrypoints.consumers.commands import CommandInvalidError

OWN = {
    Outcome.WALLET_NOT_FOUND: "payment.wallet.not_found",
    Outcome.WALLET_NOT_ACTIVE: "payment.wallet.not_active",
    Outcome.INSUFFICIENT_FUNDS: "payment.wallet.insufficient_funds",
    Outcome.LIMIT_TRANSACTION: "payment.limit",
    Outcome.LIMIT_DAILY: "payment.limit",
    Outcome.LIMIT_MONTHLY: "payment.limit",
    Outcome.LIMIT_ROLLING: "payment.limit",
    Outcome.LIMIT_BALANCE: "payment.limit",
}
OF_TRANSFERS = {Outcome.REQUEST_REUSED}


@pytest.mark.parametrize("outcome", _ERRORS.keys() - OF_TRANSFERS)
def test_every_refusal_has_a_sentence(outcome: Outcome) -> None:
    assert known_part(_ERRORS[outcome].code) == OWN.get(outcome, "payment")


def test_what_cannot_be_read_has_one_too() -> None:
    assert known_part(CommandInvalidError.code) == "payment"
