"""What a decided batch leaves, as one statement's writes: each table once, whatever the number of operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from chassis.writes import Write
from eventing.outbox import INSERT_COLUMNS
from kernel.money import AMOUNT_MINOR_MAX
from kernel.rows import columns_of
from payment.domain.book import Book, Moved
from payment.domain.hold import Hold, HoldState
from payment.domain.ledger_account import LedgerAccount

# What all records of a batch of transfers have in common is sent once. Their ids, and so their keys, are the transfers'
# own.
_COMMON: Final = ("topic", "type", "occurred_at", "aggregate_version", "headers", "logged")
_OWN: Final = tuple(name for name in INSERT_COLUMNS if name not in {*_COMMON, "event_id", "key"})
_RECORDS: Final = f"""
    INSERT INTO outbox (event_id, key, {", ".join(_COMMON + _OWN)})
    SELECT moved.id, moved.id::text,
        {", ".join(f"${place}::{INSERT_COLUMNS[name]}" for place, name in enumerate(_COMMON, 1))},
        {", ".join(f"own.{name}" for name in _OWN)}
    FROM moved JOIN
        unnest({", ".join(f"${place}::{INSERT_COLUMNS[name]}[]" for place, name in enumerate(_OWN, len(_COMMON) + 1))})
        WITH ORDINALITY AS own ({", ".join(_OWN)}, i) ON own.i = moved.i
    ORDER BY moved.i
"""
_MOVED: Final = """
    SELECT m.i, m.id, m.kind, ($1::uuid[])[m.debit] AS debit_id, ($1::uuid[])[m.credit] AS credit_id, m.amount_minor,
        m.debit_version, m.debit_balance, m.credit_version, m.credit_balance, m.reference_id, m.request_hash,
        ($2::text[])[m.currency] AS currency, m.note
    FROM unnest($3::uuid[], $4::text::smallint[], $5::text::int[], $6::text::int[], $7::text::bigint[],
            $8::text::bigint[], $9::text::bigint[], $10::text::bigint[], $11::text::bigint[], $12::uuid[], $13::uuid[],
            $14::text::int[], $15::text[]) WITH ORDINALITY
        AS m (id, kind, debit, credit, amount_minor, debit_version, debit_balance, credit_version, credit_balance,
              reference_id, request_hash, currency, note, i)
    WHERE EXISTS (SELECT FROM may_write)
"""
_TRANSFERS: Final = """
    INSERT INTO transfer (id, kind, debit_id, credit_id, amount_minor, debit_version, credit_version, at, reference_id,
                          request_hash, currency, note)
    SELECT id, kind, debit_id, credit_id, amount_minor, debit_version, credit_version, $1::timestamptz, reference_id,
           request_hash, currency, note FROM moved
"""
_POSTINGS: Final = """
    INSERT INTO posting (account_id, version, amount_minor, balance_after_minor, transfer_id)
    SELECT debit_id, debit_version, -amount_minor, debit_balance, id FROM moved
    UNION ALL SELECT credit_id, credit_version, amount_minor, credit_balance, id FROM moved
"""
_MONEY: Final = """
    balance_minor = new.balance_minor, frozen_minor = new.frozen_minor, version = new.version,
    spent_day_minor = new.day_minor, spent_month_minor = new.month_minor, spent_prior_minor = new.prior_minor
"""
_NEW_MONEY: Final = """
    $1::uuid[], $2::text::bigint[], $3::text::bigint[], $4::text::bigint[], $5::text::bigint[], $6::text::bigint[],
    $7::text::bigint[]
"""
_MONEY_COLUMNS: Final = "id, balance_minor, frozen_minor, version, day_minor, month_minor, prior_minor"
_ACCOUNTS: Final = f"""
    UPDATE account a SET {_MONEY} FROM unnest({_NEW_MONEY}) AS new ({_MONEY_COLUMNS})
    WHERE a.id = new.id AND EXISTS (SELECT FROM may_write)
"""
_LIMITS: Final = ("transaction", "day", "month", "rolling", "balance")
_ACCOUNTS_AND_LIMITS: Final = f"""
    UPDATE account a SET {_MONEY}, spent_on = new.spent_on, limits_fresh_until = new.fresh_until, country = new.country,
        {", ".join(f"limit_{name}_minor = nullif(new.limit_{name}, {AMOUNT_MINOR_MAX})" for name in _LIMITS)}
    FROM unnest({_NEW_MONEY}, {", ".join(f"${place}::text::bigint[]" for place in range(8, 13))},
            $13::date[], $14::timestamptz[], $15::text[])
        AS new ({_MONEY_COLUMNS}, {", ".join(f"limit_{name}" for name in _LIMITS)}, spent_on, fresh_until, country)
    WHERE a.id = new.id AND EXISTS (SELECT FROM may_write)
"""
_CLOSED_MONTHS: Final = """
    INSERT INTO spending_month (account_id, month, amount_minor)
    SELECT new.* FROM unnest($1::uuid[], $2::date[], $3::bigint[]) AS new WHERE EXISTS (SELECT FROM may_write)
    ON CONFLICT (account_id, month) DO UPDATE SET amount_minor = excluded.amount_minor
"""
_CREDITED: Final = """
    UPDATE wallet_transaction t SET status = 'completed', amount_minor = new.amount_minor,
        balance_after_minor = new.balance_after_minor, completed_at = $6::timestamptz, failure_code = ''
    FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::bigint[])
        AS new (wallet_id, shown_at, shown_as, amount_minor, balance_after_minor)
    WHERE t.wallet_id = new.wallet_id AND t.created_at = new.shown_at AND t.id = new.shown_as
"""
_NEW_HOLDS: Final = """
    INSERT INTO hold (id, checkout_id, user_id, account_id, clearing_id, amount_minor, currency, state, captured_minor,
                      released_minor, version, spend_day, expires_at, created_at, updated_at)
    SELECT new.*, $14::timestamptz, $14::timestamptz
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[], $7::text[], $8::text[],
        $9::bigint[], $10::bigint[], $11::bigint[], $12::date[], $13::timestamptz[]) AS new
"""
_HOLDS: Final = """
    UPDATE hold SET state = new.state, captured_minor = new.captured_minor, released_minor = new.released_minor,
        version = new.version, updated_at = $6::timestamptz
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS new (id, state, captured_minor, released_minor, version)
    WHERE hold.id = new.id
"""
_NEW_PURCHASES: Final = """
    INSERT INTO wallet_transaction (wallet_id, created_at, id, user_id, type, status, amount_minor, balance_after_minor,
                                    completed_at, reference_id, currency)
    SELECT wallet_id, $9::timestamptz, id, user_id, 'purchase', status, amount_minor, balance_after_minor,
           CASE WHEN status <> 'pending' THEN $9::timestamptz END, checkout_id, currency
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::uuid[], $8::text[])
        AS new (wallet_id, id, user_id, status, amount_minor, balance_after_minor, checkout_id, currency)
"""
_PURCHASES: Final = """
    UPDATE wallet_transaction t SET status = new.status, amount_minor = new.amount_minor,
        balance_after_minor = new.balance_after_minor, completed_at = $7::timestamptz
    FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[])
        AS new (wallet_id, created_at, id, status, amount_minor, balance_after_minor)
    WHERE t.wallet_id = new.wallet_id AND t.created_at = new.created_at AND t.id = new.id AND t.status = 'pending'
"""
_GIVEN_BACK: Final = """
    UPDATE spending_month m SET amount_minor = greatest(m.amount_minor - new.amount_minor, 0)
    FROM unnest($1::uuid[], $2::date[], $3::bigint[]) AS new (account_id, month, amount_minor)
    WHERE m.account_id = new.account_id AND m.month = new.month
"""
_REFUSED: Final = """
    INSERT INTO refusal (op_id, outcome, request_hash, at)
    SELECT new.*, $4::timestamptz FROM unnest($1::uuid[], $2::smallint[], $3::uuid[])
        AS new (op_id, outcome, request_hash)
    WHERE EXISTS (SELECT FROM may_write) ON CONFLICT DO NOTHING
"""
# Those of transfers are written where it has a row; whoever writes says which.
MAY_WRITE: Final = "may_write"
ALWAYS: Final = Write("SELECT 1", (), MAY_WRITE)
# What a purchase that was authorised is shown as.
_STATUS: Final = {
    HoldState.AUTHORIZED: "pending",
    HoldState.CAPTURED: "completed",
    HoldState.SETTLED: "completed",
    HoldState.RETURNED: "completed",
    HoldState.VOIDED: "cancelled",
    HoldState.EXPIRED: "expired",
}


def writes_of(book: Book, now: datetime) -> Iterator[Write]:
    """Those of the batch, at ``now``; none where nothing changed."""
    changed = [account for account in book.accounts.values() if account.changed or account.limits_changed]
    if book.moved:
        yield _moved(book.moved, changed)
        yield Write(_TRANSFERS, [now])
        yield Write(_POSTINGS, [])
    yield from _of_accounts(changed)
    if book.closed_months:
        rows = [(account_id, month, amount) for (account_id, month), amount in book.closed_months.items()]
        yield Write(_CLOSED_MONTHS, _transposed(rows))
    if book.credited:
        yield Write(_CREDITED, [*_transposed(book.credited), now])
    yield from _of_holds([hold for hold in book.holds.values() if hold.is_changed], now)
    if book.given_back:
        rows = [(account_id, month, amount) for (account_id, month), amount in book.given_back.items()]
        yield Write(_GIVEN_BACK, _transposed(rows))
    if book.refused:
        yield Write(_REFUSED, [*_transposed(book.refused), now])


def records_of_transfers(columns: Sequence[list[Any]]) -> Iterator[Write]:
    """The records of a batch that is transfers alone, one for each that moved, as ``Outbox.take`` gives them."""
    column = dict(zip(INSERT_COLUMNS, columns, strict=True))
    if column["event_id"]:
        yield Write(_RECORDS, [*(column[name][0] for name in _COMMON), *(_unless_empty(column[name]) for name in _OWN)])


def whole_numbers(numbers: Iterable[int]) -> str:
    """As the text of an array, for ``$n::text::bigint[]``: the driver takes half a microsecond for each value of an
    array, and this a tenth of that.
    """
    return f"{{{','.join(map(str, numbers))}}}"


def _of_accounts(changed: Sequence[LedgerAccount]) -> Iterator[Write]:
    spent = [account for account in changed if not account.limits_changed]
    if spent:
        yield Write(_ACCOUNTS, _money_of(spent))
    refreshed = [account for account in changed if account.limits_changed]
    if refreshed:
        limits = columns_of(refreshed, *(f"limit_{name}_minor" for name in _LIMITS))
        others = columns_of(refreshed, "spent_on", "limits_fresh_until", "country")
        yield Write(_ACCOUNTS_AND_LIMITS, [*_money_of(refreshed), *map(whole_numbers, limits), *others])


def _money_of(accounts: Sequence[LedgerAccount]) -> list[Any]:
    names = ("balance_minor", "frozen_minor", "version", "spent_day_minor", "spent_month_minor", "spent_prior_minor")
    return [[account.id for account in accounts], *map(whole_numbers, columns_of(accounts, *names))]


def _moved(moved: Sequence[Moved], accounts: Sequence[LedgerAccount]) -> Write:
    place_of = {id(account): place for place, account in enumerate(accounts, 1)}
    currencies = {currency: place for place, currency in enumerate({each.currency: None for each in moved}, 1)}
    ids, kinds, debits, credits_, *amounts, references, hashes, of_currency, notes = zip(*moved, strict=True)
    return Write(
        _MOVED,
        [
            [account.id for account in accounts],
            list(currencies),
            ids,
            whole_numbers(map(int, kinds)),
            whole_numbers(place_of[id(account)] for account in debits),
            whole_numbers(place_of[id(account)] for account in credits_),
            *map(whole_numbers, amounts),
            _unless_empty(references),
            _unless_empty(hashes),
            whole_numbers(currencies[currency] for currency in of_currency),
            notes,
        ],
        "moved",
    )


def _unless_empty(column: Sequence[Any]) -> Sequence[Any]:
    """Nothing instead of nothing but None: ``unnest`` makes None of what is not there."""
    return column if any(value is not None for value in column) else ()


def _of_holds(holds: Sequence[Hold], now: datetime) -> Iterator[Write]:
    new = [hold for hold in holds if hold.is_new]
    if new:
        facts = [hold.facts for hold in new]
        yield Write(
            _NEW_HOLDS,
            [
                *columns_of(facts, "hold_id", "checkout_id", "user_id", "account_id", "clearing_id", "amount_minor"),
                [fact.currency or None for fact in facts],
                *columns_of(new, "state", "captured_minor", "released_minor", "version", "spend_day", "expires_at"),
                now,
            ],
        )
    listed = [hold for hold in new if hold.is_listed]
    if listed:
        yield Write(_NEW_PURCHASES, [*_transposed([_new_purchase(hold) for hold in listed]), now])
    moved = [hold for hold in holds if not hold.is_new]
    if moved:
        names = ("state", "captured_minor", "released_minor", "version")
        yield Write(_HOLDS, [[hold.facts.hold_id for hold in moved], *columns_of(moved, *names), now])
        yield Write(_PURCHASES, [*_transposed([_purchase(hold) for hold in moved]), now])


def _new_purchase(hold: Hold) -> tuple[Any, ...]:
    facts = hold.facts
    wallet_id, _, _, status, amount_minor, balance_after_minor = _purchase(hold)
    return (
        wallet_id,
        facts.hold_id,
        facts.user_id,
        status,
        amount_minor,
        balance_after_minor,
        facts.checkout_id,
        facts.currency,
    )


def _purchase(hold: Hold) -> tuple[Any, ...]:
    facts, taken = hold.facts, hold.balance_after_minor is not None
    amount_minor = hold.captured_minor if taken else facts.amount_minor
    return (
        facts.account_id,
        hold.created_at,
        facts.hold_id,
        _STATUS[hold.state],
        amount_minor,
        hold.balance_after_minor,
    )


def _transposed(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))
