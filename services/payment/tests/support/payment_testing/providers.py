"""A provider that does what a test says, and what it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from payment.domain.ids import TopUpId, UserId
from payment.domain.provider import WebhookSignatureError
from payment.domain.review import Review
from payment.domain.top_up import Charge, ChargeStatus, TopUpRequest
from payment.usecases.ports import Begin, WebhookEvent
from payment.usecases.request_top_up import RequestTopUp, request_top_up


async def top_up_for(begin: Begin, person: UserId, provider: str = "sandbox") -> TopUpId:
    """A top-up of 500 that was asked for."""
    command = RequestTopUp(
        user_id=person, amount_minor=500, currency="THB", provider=provider, payment_token=f"tok_{provider}"
    )
    async with begin() as tx:
        return (await request_top_up(command, tx)).id


def charge_of(reference_id: TopUpId | None, charge_id: str, status: ChargeStatus = ChargeStatus.SUCCEEDED) -> Charge:
    """The sandbox's word on a charge of 500."""
    return Charge(
        provider="sandbox",
        charge_id=charge_id,
        reference_id=reference_id,
        amount_minor=500,
        currency="THB",
        status=status,
    )


class OddProvider:
    """Takes and gives back at once, but for one reference, of which it says what nobody expects."""

    name = "sandbox"

    def __init__(self, bad: UUID | None = None, error: Exception | None = None) -> None:
        self.bad = bad
        self.asked: list[UUID] = []
        self.known: list[Charge] = []
        self.by_id: dict[str, Charge | Exception] = {}  # beside what is listed
        self.error = error or RuntimeError("no error that anybody thought of\x00")
        self.find_error: Exception | None = None

    async def charge(self, top_up: TopUpRequest) -> Charge:
        self.asked.append(top_up.id)
        if top_up.id == self.bad:
            raise self.error
        return Charge(
            provider=self.name,
            charge_id=f"ch_{top_up.id.hex}",
            reference_id=top_up.id,
            amount_minor=top_up.amount_minor,
            currency=top_up.currency,
            status=ChargeStatus.SUCCEEDED,
        )

    async def find_charges(self, _: UUID) -> Sequence[Charge]:
        if self.find_error is not None:
            raise self.find_error
        return self.known

    async def find_charge(self, charge_id: str, _: UUID) -> Charge | None:
        found = self.by_id.get(charge_id)
        if isinstance(found, Exception):
            raise found
        return found

    async def give_back(self, review: Review) -> None:
        self.asked.append(review.id)
        if review.id == self.bad:
            raise self.error

    def read_webhook(self, *_: object) -> WebhookEvent:
        raise WebhookSignatureError
