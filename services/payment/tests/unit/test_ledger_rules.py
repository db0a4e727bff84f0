"""The ledger's rules: random batches against a model, every refusal beside what is accepted, and money is conserved."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID, uuid4, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.ids import uuid7
from kernel.money import AMOUNT_MINOR_MAX
from payment.domain.accounts import PURCHASE_CLEARING, SELLER_PENDING, wallet_id
from payment.domain.book import Book
from payment.domain.hold import HoldState
from payment.domain.ids import HoldId, TransferId, UserId
from payment.domain.ledger import Expire, Op, TopUp, Transfer
from payment.domain.outcome import Answer, Outcome
from payment.domain.rules import apply
from payment_testing.books import Books, Rule
from payment_testing.ledger_model import LedgerModel
from payment_testing.operations import authorize, capture, charge, give_back, settle, transfer, void
from payment_testing.people import NOON

DAY_MAX, START, PEOPLE = 3_000, 1_000, 3
ANN, BOB, CAT = (UserId(UUID(int=number)) for number in (1, 2, 3))
USERS = (ANN, BOB, CAT)
SPACE = UUID(int=7)

amounts, people, holds = st.integers(1, 900), st.sampled_from(USERS), st.integers(0, 3)
steps = st.one_of(
    st.tuples(st.just("transfer"), st.integers(0, 5), people, people, amounts),
    st.tuples(st.just("authorize"), holds, people, amounts, st.integers(-1, 1)),
    st.tuples(st.just("charge"), holds, people, amounts),
    st.tuples(st.just("capture"), holds, amounts),
    st.tuples(st.just("settle"), holds, people, amounts),
    st.tuples(st.sampled_from(["void", "expire", "return"]), holds),
)


def hold_of(number: int) -> HoldId:
    return HoldId(uuid5(SPACE, f"hold {number}"))


def operation(step: tuple, books: Books) -> Op:  # noqa: PLR0911 -- a line a kind
    match step:
        case ("transfer", number, sender, recipient, amount):
            other = recipient if recipient != sender else USERS[(USERS.index(sender) + 1) % PEOPLE]
            return transfer(sender, other, amount, op_id=TransferId(uuid5(SPACE, f"transfer {number}")))
        case ("authorize", number, user, amount, minutes):
            return authorize(user, amount, hold_id=hold_of(number), expires_at=NOON + timedelta(minutes=minutes))
        case ("charge", number, user, amount):
            return charge(user, amount, hold_id=hold_of(number))
        case ("capture", number, amount):
            return capture(hold_of(number), amount)
        case ("settle", number, seller, amount):
            hold = books.holds.get(hold_of(number))
            return settle(
                hold_of(number), hold.captured_minor if hold and hold.captured_minor else amount, seller=seller
            )
        case ("void", number):
            return void(hold_of(number))
        case ("return", number):
            return give_back(hold_of(number))
        case (_, number):
            return Expire(hold_id=hold_of(number))


def agree(batches: list[list[tuple]], rule: Rule) -> None:
    """Answers, balances and what was spent are the model's, and no money comes or goes."""
    books, model = Books(rule), LedgerModel(day_max=DAY_MAX)
    for user in USERS:
        books.open(user, START, limit_day_minor=DAY_MAX)
        model.open(user, START)
    for batch in batches:
        ops = [operation(step, books) for step in batch]
        expected = [model.apply(op, NOON) for op in ops]
        assert [answer.outcome for answer in books.apply(ops)] == expected, ops
    for user in USERS:
        wallet = books.accounts[wallet_id(user, "THB")]
        assert (wallet.balance_minor, wallet.frozen_minor) == (model.balances[user], model.frozen[user])
        assert wallet.spent_day_minor == wallet.spent_month_minor == model.spent[user]
    of_kind = {
        kind: sum(each.balance_minor for each in books.accounts.values() if each.kind == kind)
        for kind in (PURCHASE_CLEARING, SELLER_PENDING)
    }
    assert of_kind == {PURCHASE_CLEARING: model.purchase_clearing, SELLER_PENDING: model.seller_pending}
    assert sum(each.balance_minor for each in books.accounts.values()) == START * PEOPLE


@settings(max_examples=400, deadline=None)
@given(st.lists(st.lists(steps, min_size=1, max_size=12), min_size=1, max_size=8))
def test_random_batches_agree_with_the_model(batches: list[list[tuple]]) -> None:
    agree(batches, apply)


def judged_by_the_balance_before() -> Rule:
    """A wrong shortcut: whether money is there is asked of the balance that the batch began with."""
    began: dict[int, dict[UUID, int]] = {}

    def rule(op: Op, book: Book) -> Answer:
        before = began.setdefault(id(book), {key: each.balance_minor for key, each in book.accounts.items()})
        if not isinstance(op, Transfer) or op.op_id in book.answered:
            return apply(op, book)
        sender = book.accounts[op.sender_wallet_id]
        now, sender.balance_minor = sender.balance_minor, before[sender.id]
        answer = apply(op, book)
        sender.balance_minor += now - before[sender.id]
        return answer

    return rule


def test_control_a_wrong_shortcut_is_caught() -> None:
    @settings(max_examples=400, deadline=None, database=None, derandomize=True)
    @given(st.lists(st.lists(steps, min_size=1, max_size=12), min_size=1, max_size=8))
    def check(batches: list[list[tuple]]) -> None:
        agree(batches, judged_by_the_balance_before())

    with pytest.raises(AssertionError):
        check()


Refused = Callable[[Books], Op]


def reused(books: Books) -> Op:
    first = transfer(ANN, BOB, 1)
    books.apply([first])
    return transfer(ANN, BOB, 2, op_id=first.op_id)


def with_limit(name: str) -> Refused:
    def make(books: Books) -> Op:
        poor = books.open(UserId(uuid4()), 500, **{f"limit_{name}_minor": 99})
        assert poor.user_id is not None
        return transfer(poor.user_id, BOB, 100)

    return make


def to_a_full_wallet(books: Books) -> Op:
    full = books.open(UserId(uuid4()), 500, limit_balance_minor=550)
    assert full.user_id is not None
    return transfer(ANN, full.user_id, 100)


def to_a_suspended_wallet(books: Books) -> Op:
    away = books.open(UserId(uuid4()), 0, status="suspended")
    assert away.user_id is not None
    return transfer(ANN, away.user_id, 1)


def in_another_currency(books: Books) -> Op:
    op = transfer(ANN, BOB, 1)
    op.currency = "USD"
    return op


def of_a_hold(state: HoldState, op: Callable[[HoldId], Op]) -> Refused:
    def make(books: Books) -> Op:
        held = authorize(ANN, 50, expires_at=NOON - timedelta(minutes=1))
        ends = {HoldState.EXPIRED: Expire(hold_id=held.hold_id), HoldState.CAPTURED: capture(held.hold_id, 50)}
        books.apply([held, *([ends[state]] if state in ends else [])])
        return op(held.hold_id)

    return make


def over_the_greatest_amount(books: Books) -> Op:
    rich = books.open(UserId(uuid4()), AMOUNT_MINOR_MAX)
    return TopUp(
        op_id=TransferId(uuid7()),
        provider="sandbox",
        wallet_id=rich.id,
        amount_minor=1,
        currency="THB",
        requested_at=NOON,
    )


REFUSALS: dict[Outcome, list[Refused]] = {
    Outcome.WALLET_NOT_FOUND: [
        lambda _: transfer(ANN, UserId(uuid4()), 1),
        lambda _: charge(UserId(uuid4()), 1),
        lambda _: authorize(UserId(uuid4()), 1),
    ],
    Outcome.WALLET_NOT_ACTIVE: [to_a_suspended_wallet],
    Outcome.CURRENCY_MISMATCH: [in_another_currency],
    Outcome.INSUFFICIENT_FUNDS: [lambda _: transfer(ANN, BOB, 10**9), lambda _: charge(ANN, 10**9)],
    Outcome.LIMIT_TRANSACTION: [with_limit("transaction")],
    Outcome.LIMIT_DAILY: [with_limit("day")],
    Outcome.LIMIT_MONTHLY: [with_limit("month")],
    Outcome.LIMIT_ROLLING: [with_limit("rolling")],
    Outcome.LIMIT_BALANCE: [to_a_full_wallet, over_the_greatest_amount],
    Outcome.HOLD_NOT_FOUND: [lambda _: capture(HoldId(uuid4()), 1), lambda _: settle(HoldId(uuid4()), 1, seller=BOB)],
    Outcome.HOLD_WRONG_STATE: [
        of_a_hold(HoldState.CAPTURED, void),
        of_a_hold(HoldState.AUTHORIZED, give_back),
        of_a_hold(HoldState.EXPIRED, lambda hold_id: charge(ANN, 50, hold_id=hold_id)),
        of_a_hold(HoldState.AUTHORIZED, lambda hold_id: settle(hold_id, 50, seller=BOB)),
    ],
    Outcome.HOLD_EXPIRED: [of_a_hold(HoldState.EXPIRED, lambda hold_id: capture(hold_id, 50))],
    Outcome.CAPTURE_EXCEEDS_HOLD: [of_a_hold(HoldState.AUTHORIZED, lambda hold_id: capture(hold_id, 51))],
    Outcome.SHARES_MISMATCH: [of_a_hold(HoldState.CAPTURED, lambda hold_id: settle(hold_id, 49, seller=BOB))],
    Outcome.REQUEST_REUSED: [reused],
}


def test_every_refusal_has_its_case() -> None:
    assert set(REFUSALS) == set(Outcome) - {Outcome.DONE, Outcome.DONE_BEFORE}


@pytest.mark.parametrize("seed", range(20))
def test_a_batch_of_every_refusal_between_what_is_accepted_in_any_order(seed: int) -> None:
    """Each refused one gets its reason and changes nothing; each other one is done."""
    books = Books()
    for user in USERS:
        books.open(user, 1_000_000)
    mixed = [(outcome, make(books)) for outcome, cases in REFUSALS.items() for make in cases]
    mixed += [(Outcome.DONE, op) for op in (*(transfer(ANN, BOB, 3) for _ in range(9)), charge(CAT, 7))]
    random.Random(seed).shuffle(mixed)
    before = {key: each.balance_minor for key, each in books.accounts.items()}
    answers = books.apply([op for _, op in mixed])
    assert [answer.outcome for answer in answers] == [outcome for outcome, _ in mixed]
    changes = {
        user: books.accounts[wallet_id(user, "THB")].balance_minor - before[wallet_id(user, "THB")] for user in USERS
    }
    assert changes == {ANN: -27, BOB: 27, CAT: -7}
    again = books.apply([op for _, op in mixed])
    assert [answer.outcome for answer in again] == [max(outcome, Outcome.DONE_BEFORE) for outcome, _ in mixed]


def test_a_charge_is_taken_at_once_and_settled_or_returned_once() -> None:
    books = Books()
    books.open(ANN, 100)
    bought, other = charge(ANN, 60), charge(ANN, 40)
    wallet, clearing = books.accounts[wallet_id(ANN, "THB")], lambda: of(books, PURCHASE_CLEARING)
    assert done(books, bought, other)
    assert (wallet.balance_minor, clearing()) == (0, 100)
    assert done(books, settle(bought.hold_id, 60, seller=BOB), give_back(other.hold_id))
    assert (wallet.balance_minor, clearing(), of(books, SELLER_PENDING)) == (40, 0, 60)
    assert (wallet.spent_day_minor, wallet.spent_month_minor) == (60, 60)
    [late, again, back] = books.apply(
        [give_back(bought.hold_id), charge(ANN, 60, hold_id=bought.hold_id), give_back(other.hold_id)]
    )
    assert late.outcome == Outcome.HOLD_WRONG_STATE
    assert (again.outcome, back.outcome) == (Outcome.DONE_BEFORE, Outcome.DONE_BEFORE)
    assert wallet.balance_minor == 40


def test_a_return_that_comes_first_keeps_the_charge_from_ever_being_made() -> None:
    books = Books()
    books.open(ANN, 100)
    late = charge(ANN, 60)
    assert done(books, give_back(late.hold_id))
    [answer] = books.apply([late])
    assert answer.outcome == Outcome.HOLD_WRONG_STATE
    assert books.accounts[wallet_id(ANN, "THB")].balance_minor == 100


def test_money_goes_back_to_a_wallet_that_was_suspended_meanwhile() -> None:
    books = Books()
    wallet = books.open(ANN, 100)
    bought = charge(ANN, 60)
    assert done(books, bought)
    wallet.status = "suspended"
    assert done(books, give_back(bought.hold_id))
    assert wallet.balance_minor == 100


@pytest.mark.parametrize(
    ("spent_on", "day", "left", "month"),
    [
        (date(2026, 3, 31), date(2026, 3, 31), (0, 0, 100), None),
        (date(2026, 3, 31), date(2026, 3, 30), (100, 0, 100), None),
        (date(2026, 4, 1), date(2026, 3, 31), (100, 100, 0), date(2026, 3, 1)),
        (date(2027, 2, 28), date(2026, 3, 31), (100, 100, 0), date(2026, 3, 1)),
        (date(2027, 3, 1), date(2026, 3, 31), (100, 100, 100), date(2026, 3, 1)),
    ],
)
def test_what_was_not_spent_returns_to_its_day_and_month(
    spent_on: date, day: date, left: tuple[int, int, int], month: date | None
) -> None:
    counts = {"spent_day_minor": 100, "spent_month_minor": 100, "spent_prior_minor": 100}
    wallet = Books().open(ANN, 0, spent_on=spent_on, **counts)
    assert wallet.give_limit_back(100, day) == month
    assert (wallet.spent_day_minor, wallet.spent_month_minor, wallet.spent_prior_minor) == left


def test_a_count_never_goes_below_nothing() -> None:
    wallet = Books().open(ANN, 0, spent_on=date(2026, 3, 31), spent_day_minor=10, spent_month_minor=10)
    wallet.give_limit_back(100, date(2026, 3, 31))
    assert (wallet.spent_day_minor, wallet.spent_month_minor) == (0, 0)


def of(books: Books, kind: str) -> int:
    return sum(each.balance_minor for each in books.accounts.values() if each.kind == kind)


def done(books: Books, *ops: Op) -> bool:
    return all(answer.outcome == Outcome.DONE for answer in books.apply(ops))
