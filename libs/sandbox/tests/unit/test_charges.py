"""The provider's memory: one key is one charge, and what it forgets is the oldest."""

from __future__ import annotations

from sandbox import charges
from sandbox.charges import Behaviour, Charges


def take(memory, key, reference="r", token="tok"):  # noqa: S107 -- a sandbox token
    return memory.take(key, reference=reference, amount_minor=5, currency="THB", token=token)


def test_one_key_is_one_charge():
    memory = Charges()
    first, new = take(memory, "k")
    again, renewed = take(memory, "k")
    assert (new, renewed) == (True, False)
    assert first is again
    assert memory.by_reference("r") is memory.by_id(first.charge_id) is first


def test_the_token_decides():
    memory = Charges()
    for token, outcome in (("tok", ("succeeded", "")), ("tok_declined", ("failed", "card_declined"))):
        charge, _ = take(memory, token, token=token)
        charge.settle()
        assert (charge.status, charge.failure_code) == outcome
        assert "payment_token" not in charge.view()


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(charges, "CHARGES_MAX", 3)
    memory = Charges()
    made = [take(memory, str(number), reference=str(number))[0] for number in range(5)]
    assert [memory.by_id(charge.charge_id) is not None for charge in made] == [False, False, True, True, True]
    assert take(memory, "0", reference="0")[1], "a forgotten key is new again"


def test_counters_run_out():
    behaviour = Behaviour(hang_next=2)
    assert [behaviour.spend("hang_next") for _ in range(3)] == [True, True, False]


def test_a_charge_is_given_back_once_a_key_and_never_more_than_it_was():
    charge, _ = Charges().take("k", reference="r", amount_minor=100, currency="THB", token="tok_visa")
    assert not charge.refund("early", 100)
    charge.settle()
    assert [charge.refund(key, 60) for key in ("a", "a", "b")] == [True, True, False]
    assert charge.refund("b", 40)
    assert not charge.refund("c", 1)
    assert "refunds" not in charge.view()
