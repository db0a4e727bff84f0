"""Top-ups, and what providers said about them, in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from chassis.postgres import Connection
from kernel.rows import rows_affected
from payment.adapters.job_failure_store import JobFailureStore
from payment.domain.ids import TopUpId, TransferId, WalletId
from payment.domain.top_up import LEASE, Booked, Charge, SuspenseReason, TopUpRequest, TopUpState
from payment.usecases.ports import DRIVE_TOP_UPS

_COLUMNS: Final = """
    id, user_id, wallet_id, amount_minor, currency, provider, payment_token, state, attempts, version, created_at,
    failure_code, completed_at, provider_charge_id, pending_charge_ids,
    unanswered
"""
_ADD: Final = """
    INSERT INTO top_up (id, user_id, wallet_id, amount_minor, currency, provider, payment_token, state,
                        next_attempt_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
"""
_ADD_TRANSACTION: Final = """
    INSERT INTO wallet_transaction (wallet_id, created_at, id, user_id, type, status, amount_minor, currency,
                                    reference_id)
    VALUES ($1, $2, $3, $4, 'topup', 'pending', $5, $6, $3)
"""
_LOCK: Final = f"SELECT {_COLUMNS} FROM top_up WHERE id = $1 FOR UPDATE"
_OPEN_MINOR: Final = """
    SELECT coalesce(sum(amount_minor), 0)::bigint FROM top_up WHERE wallet_id = $1 AND next_attempt_at IS NOT NULL
"""
_DUE: Final = """
    SELECT id FROM top_up u
    WHERE next_attempt_at <= $1 AND NOT EXISTS (
        SELECT 1 FROM job_failure f WHERE f.job = $3 AND f.item_id = u.id::text AND f.next_attempt_at > $1)
    ORDER BY next_attempt_at LIMIT $2
"""
_LEASE: Final = f"""
    UPDATE top_up SET attempts = attempts + 1, next_attempt_at = $3,
        unanswered = unanswered OR (attempts > 0 AND provider_charge_id IS NULL)
    WHERE id = $1 AND next_attempt_at <= $2
    RETURNING {_COLUMNS}
"""
_WAIT: Final = """
    UPDATE top_up SET next_attempt_at = $3, provider_charge_id = coalesce($2, provider_charge_id),
        state = CASE WHEN $2::text IS NULL THEN state ELSE 'pending' END,
        pending_charge_ids = CASE WHEN $2::text IS NULL OR $2 = ANY (pending_charge_ids) THEN pending_charge_ids
            ELSE pending_charge_ids || $2 END
    WHERE id = $1 AND state IN ('created', 'pending')
"""
_ADD_PENDING: Final = """
    UPDATE top_up SET pending_charge_ids = array_append(array_remove(pending_charge_ids, $2), $2) WHERE id = $1
"""
_END_PENDING: Final = "UPDATE top_up SET pending_charge_ids = array_remove(pending_charge_ids, $2) WHERE id = $1"
_CONFIRM_AT: Final = "UPDATE top_up SET confirm_at = $2 WHERE id = $1"
_DUE_TO_CONFIRM: Final = """
    SELECT id FROM top_up u
    WHERE confirm_at <= $1 AND next_attempt_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM job_failure f WHERE f.job = $3 AND f.item_id = u.id::text AND f.next_attempt_at > $1)
    ORDER BY confirm_at LIMIT $2
"""
_LEASE_TO_CONFIRM: Final = f"""
    UPDATE top_up SET attempts = attempts + 1, confirm_at = $3
    WHERE id = $1 AND confirm_at <= $2 AND next_attempt_at IS NULL
    RETURNING {_COLUMNS}
"""
_CONFIRM_NEXT: Final = "UPDATE top_up SET confirm_at = $2 WHERE id = $1 AND confirm_at = $3"
_CLOSE: Final = """
    UPDATE top_up SET state = $2, provider_charge_id = coalesce($3, provider_charge_id), failure_code = $4,
        completed_at = $5, next_attempt_at = NULL, version = version + 1
    WHERE id = $1
"""
_CLOSE_TRANSACTION: Final = """
    UPDATE wallet_transaction SET status = $4, failure_code = $5, completed_at = $6,
        amount_minor = coalesce($7, amount_minor), currency = coalesce($8, currency)
    WHERE wallet_id = $1 AND created_at = $2 AND id = $3
"""
_ADVANCE: Final = "UPDATE top_up SET version = version + 1 WHERE id = $1"
_SHOW: Final = """
    INSERT INTO wallet_transaction (wallet_id, created_at, id, user_id, type, status, amount_minor, currency,
                                    reference_id, failure_code)
    VALUES ($1, $2, $3, $4, 'topup', 'processing', $5, $6, $7, $8)
"""
_CLOSE_SHOWN: Final = """
    UPDATE wallet_transaction SET status = 'failed', failure_code = $4, completed_at = $5
    WHERE wallet_id = $1 AND created_at = $2 AND id = $3
"""
_BOOKED: Final = """
    SELECT l.reference_id, l.amount_minor, l.currency, l.review_state IS NOT NULL AND u.id IS NULL AS of_nobody
    FROM provider_line l LEFT JOIN top_up u ON u.id = l.reference_id AND u.provider = l.provider
    WHERE l.provider = $1 AND l.charge_id = $2
"""
_ADD_LINE: Final = """
    INSERT INTO provider_line (provider, charge_id, reference_id, amount_minor, currency, transfer_id, seen_at,
                               suspense_reason, shown_as, review_state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $8::text IS NULL THEN NULL ELSE 'open' END)
    ON CONFLICT (provider, charge_id) DO NOTHING
"""
_ADD_EVENT: Final = """
    INSERT INTO provider_event (provider, event_id, received_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
_TRANSACTION_STATUS: Final = {
    TopUpState.COMPLETED: "completed",
    TopUpState.FAILED: "failed",
    TopUpState.IN_REVIEW: "processing",
}


class TopUpStore:
    """Bound to one transaction. The person's transaction row moves with the top-up."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self.added = False

    async def add(self, top_up: TopUpRequest, now: datetime) -> None:
        """With the pending transaction that shows it to the person."""
        self.added = True
        await self._conn.execute(
            _ADD,
            top_up.id,
            top_up.user_id,
            top_up.wallet_id,
            top_up.amount_minor,
            top_up.currency,
            top_up.provider,
            top_up.payment_token,
            top_up.state,
            now,
        )
        await self._conn.execute(
            _ADD_TRANSACTION,
            top_up.wallet_id,
            now,
            top_up.id,
            top_up.user_id,
            top_up.amount_minor,
            top_up.currency,
        )

    async def lock(self, top_up_id: TopUpId) -> TopUpRequest | None:
        row = await self._conn.fetchrow(_LOCK, top_up_id)
        return _top_up(row) if row else None

    async def open_minor(self, wallet: WalletId) -> int:
        """Sum of the wallet's open top-ups."""
        amount: int = await self._conn.fetchval(_OPEN_MINOR, wallet)
        return amount

    async def due(self, now: datetime, *, count: int) -> Sequence[TopUpId]:
        """Top-ups whose timer rang, without those that failed and rest."""
        return [row["id"] for row in await self._conn.fetch(_DUE, now, count, DRIVE_TOP_UPS)]

    async def lease(self, top_up_id: TopUpId, now: datetime) -> TopUpRequest | None:
        """A due one, with its timer moved on so that nobody else takes it meanwhile; None when somebody did."""
        row = await self._conn.fetchrow(_LEASE, top_up_id, now, now + LEASE)
        return _top_up(row) if row else None

    async def wait(self, top_up_id: TopUpId, *, charge_id: str | None, next_attempt_at: datetime) -> None:
        """Look again later; with a charge id the provider is known to be at work."""
        await self._conn.execute(_WAIT, top_up_id, charge_id, next_attempt_at)

    async def add_pending(self, top_up_id: TopUpId, charge_id: str) -> None:
        """Beside what ended it this charge is known to be at work."""
        await self._conn.execute(_ADD_PENDING, top_up_id, charge_id)

    async def end_pending(self, top_up_id: TopUpId, charge_id: str) -> None:
        """This charge is told to be paid, or refused."""
        await self._conn.execute(_END_PENDING, top_up_id, charge_id)

    async def confirm_at(self, top_up_id: TopUpId, at: datetime) -> None:
        """Its provider is asked then whether it knows of charges that are not in the books."""
        await self._conn.execute(_CONFIRM_AT, top_up_id, at)

    async def due_to_confirm(self, now: datetime, *, count: int) -> Sequence[TopUpId]:
        """Top-ups that ended and whose provider is asked once more, without those that failed and rest."""
        return [row["id"] for row in await self._conn.fetch(_DUE_TO_CONFIRM, now, count, DRIVE_TOP_UPS)]

    async def lease_to_confirm(self, top_up_id: TopUpId, now: datetime) -> TopUpRequest | None:
        """As ``lease``, of the timer of one that ended."""
        row = await self._conn.fetchrow(_LEASE_TO_CONFIRM, top_up_id, now, now + LEASE)
        return _top_up(row) if row else None

    async def confirm_next(self, top_up_id: TopUpId, at: datetime | None, *, leased_at: datetime) -> None:
        """When its provider is asked again, None for never; what was told since the timer was leased keeps its own."""
        await self._conn.execute(_CONFIRM_NEXT, top_up_id, at, leased_at + LEASE)

    async def close(
        self,
        top_up: TopUpRequest,
        state: TopUpState,
        *,
        charge_id: str | None,
        failure_code: str,
        now: datetime,
        shown: Charge | None = None,
    ) -> None:
        """It is driven no more.

        ``shown``: the person sees this charge's amount, which may be another than they asked for.
        """
        await self._conn.execute(_CLOSE, top_up.id, state, charge_id, failure_code, now)
        await JobFailureStore(self._conn).clear(DRIVE_TOP_UPS, [str(top_up.id)])
        await self._conn.execute(
            _CLOSE_TRANSACTION,
            top_up.wallet_id,
            top_up.created_at,
            top_up.id,
            _TRANSACTION_STATUS[state],
            failure_code,
            now,
            shown.amount_minor if shown else None,
            shown.currency if shown else None,
        )

    async def advance(self, top_up: TopUpRequest) -> None:
        """An event about it was written that left its state as it was."""
        await self._conn.execute(_ADVANCE, top_up.id)

    async def show(
        self, top_up: TopUpRequest, charge: Charge, *, shown_as: TransferId, failure_code: str, now: datetime
    ) -> None:
        """A charge in review beside the top-up's own, as a transaction of its own."""
        await self.advance(top_up)
        await self._conn.execute(
            _SHOW,
            top_up.wallet_id,
            now,
            shown_as,
            top_up.user_id,
            charge.amount_minor,
            charge.currency,
            top_up.id,
            failure_code,
        )

    async def close_shown(
        self, top_up: TopUpRequest, *, shown_as: TransferId, shown_at: datetime, failure_code: str, now: datetime
    ) -> None:
        """The charge that ``show`` showed did not reach the wallet."""
        await self.advance(top_up)
        await self._conn.execute(_CLOSE_SHOWN, top_up.wallet_id, shown_at, shown_as, failure_code, now)

    async def booked(self, charge: Charge) -> Booked | None:
        """What the charge's line says."""
        row = await self._conn.fetchrow(_BOOKED, charge.provider, charge.charge_id)
        return Booked(**row) if row else None

    async def add_line(
        self,
        charge: Charge,
        transfer_id: TransferId,
        now: datetime,
        *,
        reason: SuspenseReason | None,
        shown_as: TransferId | None,
    ) -> bool:
        """PAY-6: one line per succeeded charge. False when it was there. With a reason it is in review."""
        status = await self._conn.execute(
            _ADD_LINE,
            charge.provider,
            charge.charge_id,
            charge.reference_id,
            charge.amount_minor,
            charge.currency,
            transfer_id,
            now,
            reason,
            shown_as,
        )
        return rows_affected(status) == 1

    async def add_event(self, provider: str, event_id: str, now: datetime) -> bool:
        """False for an event that was received before."""
        return rows_affected(await self._conn.execute(_ADD_EVENT, provider, event_id, now)) == 1


def _top_up(row: Any) -> TopUpRequest:
    pending = frozenset(row["pending_charge_ids"])
    return TopUpRequest(**{**row, "state": TopUpState(row["state"]), "pending_charge_ids": pending})
