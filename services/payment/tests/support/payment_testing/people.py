"""People with wallets and money, straight in the tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from chassis.postgres import Connection
from kernel.ids import uuid7
from payment.domain.accounts import wallet_id
from payment.domain.ids import TransferId, UserId
from payment.domain.ledger import TopUp
from payment.domain.outcome import Outcome
from payment_testing.ledger import CommittingLedger

NOON: Final = datetime(2026, 6, 15, 5, 0, tzinfo=UTC)  # noon in Bangkok, far from any month's end


async def add_person(
    conn: Connection, *, currency: str = "THB", country: str = "TH", tier: int = 3, user_id: UserId | None = None
) -> UserId:
    """A person with an empty wallet; returns the user id."""
    user_id = user_id or UserId(uuid4())
    await conn.execute(
        "INSERT INTO payer (user_id, country, kyc_tier, updated_at) VALUES ($1, $2, $3, now())", user_id, country, tier
    )
    await conn.execute(
        "INSERT INTO account (id, user_id, kind, currency, country, is_primary, created_at)"
        " VALUES ($1, $2, 'wallet', $3, $4, true, now())",
        wallet_id(user_id, currency),
        user_id,
        currency,
        country,
    )
    return user_id


async def give(
    conn: Connection, user_id: UserId, amount_minor: int, *, currency: str = "THB", now: datetime = NOON
) -> None:
    """Money from a provider, with everything that the audit expects behind it."""
    op = TopUp(
        op_id=TransferId(uuid7()),
        provider="sandbox",
        wallet_id=wallet_id(user_id, currency),
        amount_minor=amount_minor,
        currency=currency,
        requested_at=now,
    )
    await conn.execute(
        "INSERT INTO top_up (id, user_id, wallet_id, amount_minor, currency, provider, payment_token, state,"
        " created_at, completed_at) VALUES ($1, $2, $3, $4, $5, 'sandbox', 'tok', 'completed', $6, $6)",
        op.op_id,
        user_id,
        op.wallet_id,
        amount_minor,
        currency,
        now,
    )
    await conn.execute(
        "INSERT INTO provider_line VALUES ('sandbox', $1, $2, $3, $4, $2, $5)",
        f"ch_{op.op_id.hex}",
        op.op_id,
        amount_minor,
        currency,
        now,
    )
    [answer] = await CommittingLedger(slot=0).execute(conn, [op], now=now)
    if answer.outcome != Outcome.DONE:
        raise RuntimeError(f"top-up answered {answer.outcome}")


async def balance(conn: Connection, user_id: UserId, currency: str = "THB") -> tuple[int, int]:
    """(balance, frozen) of a wallet."""
    row = await conn.fetchrow(
        "SELECT balance_minor, frozen_minor FROM account WHERE id = $1", wallet_id(user_id, currency)
    )
    if row is None:
        raise RuntimeError("no such wallet")
    return row["balance_minor"], row["frozen_minor"]
