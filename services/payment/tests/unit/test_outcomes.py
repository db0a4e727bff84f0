"""Every refusal of the ledger has an error of its own."""

from __future__ import annotations

from datetime import UTC, datetime

from payment.domain.outcome import Answer, Outcome

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_each_refusal_has_its_own_stable_code():
    refusals = [outcome for outcome in Outcome if outcome >= 10]
    codes = [Answer(int(outcome), 0, NOW, None).error().code for outcome in refusals]
    assert len(set(codes)) == len(refusals)


def test_done_is_no_error():
    assert Answer(Outcome.DONE, 0, NOW, None).error() is None
    assert Answer(Outcome.DONE_BEFORE, 0, NOW, None).error() is None
