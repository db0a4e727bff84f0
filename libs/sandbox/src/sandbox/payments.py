"""A payment provider: charges with idempotency keys, signed webhooks, and a behaviour one can ask for.

``POST /payments/charges`` answers a pending charge, decided a moment later; the merchant hears of both by
webhook and may ask ``GET /payments/charges?reference=``. ``PUT /payments/behaviour`` takes the fields of
``sandbox.charges.Behaviour``; what is left out goes back to its default: ``{}`` is a well-behaved provider.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from sandbox.charges import Behaviour, Charge, Charges
from sandbox.misbehaving import behaviour_routes
from sandbox.webhooks import Webhooks

_OUT_OF_ORDER_DELAY_S = 0.3
_HANG_S = 3_600


class PaymentProvider:
    """The provider's memory and its HTTP interface."""

    def __init__(self, *, webhook_url: str, webhook_secret: str, api_key: str) -> None:
        self.behaviour = Behaviour()
        self.charges = Charges()
        self.webhooks = Webhooks(url=webhook_url, secret=webhook_secret)
        self._api_key = api_key
        self._deciding: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/payments/charges", self.post_charge),
            web.post("/payments/refunds", self.post_refund),
            web.get("/payments/charges", self.get_charges),
            web.get("/payments/charges/{charge_id}", self.get_charge),
            *behaviour_routes("/payments/behaviour", self),
            web.get("/payments/deliveries", self.get_deliveries),
        ]

    async def run(self, _: web.Application) -> Any:
        """Background work for as long as the server runs (an aiohttp cleanup context)."""
        await self.webhooks.open()
        yield
        for task in self._deciding:
            task.cancel()
        await asyncio.gather(*self._deciding, return_exceptions=True)
        await self.webhooks.close()

    async def post_charge(self, request: web.Request) -> web.Response:
        """Take a charge; the same ``Idempotency-Key`` gets the same charge and moves no money again."""
        if request.headers.get("Authorization") != f"Bearer {self._api_key}":
            return web.json_response({"error": "unauthorized"}, status=401)
        body = await request.json()
        if not _is_amount(body.get("amount_minor")):
            return web.json_response({"error": "amount_invalid"}, status=422)
        behaviour = self.behaviour
        await asyncio.sleep(behaviour.answer_delay_s)
        if behaviour.spend("unavailable_next"):
            return web.json_response({"error": "unavailable"}, status=503)
        charge, new = self.charges.take(
            request.headers["Idempotency-Key"],
            reference=str(body["reference"]),
            amount_minor=body["amount_minor"] + behaviour.wrong_amount_minor,
            currency=str(body["currency"]),
            token=str(body["payment_token"]),
        )
        shown = charge.view()
        if new:
            task = asyncio.create_task(self._decide(charge, behaviour))
            self._deciding.add(task)
            task.add_done_callback(self._deciding.discard)
        if behaviour.spend("fail_after_success_next"):
            return web.json_response({"error": "crashed"}, status=500)
        if behaviour.spend("hang_next"):
            await asyncio.sleep(_HANG_S)
        return web.json_response(shown, status=201)

    async def post_refund(self, request: web.Request) -> web.Response:
        """Give a charge back to its payer; the same ``Idempotency-Key`` gives it back once."""
        if request.headers.get("Authorization") != f"Bearer {self._api_key}":
            return web.json_response({"error": "unauthorized"}, status=401)
        body = await request.json()
        behaviour = self.behaviour
        if behaviour.spend("unavailable_next"):
            return web.json_response({"error": "unavailable"}, status=503)
        charge = self.charges.by_id(str(body["charge_id"]))
        if charge is None:
            return web.json_response({"error": "no_such_charge"}, status=404)
        amount_minor, key = body["amount_minor"], request.headers["Idempotency-Key"]
        fits = _is_amount(amount_minor) and body["currency"] == charge.currency
        if behaviour.refuse_refunds or not fits or not charge.refund(key, amount_minor):
            return web.json_response({"error": "refund_refused"}, status=422)
        if behaviour.spend("fail_after_success_next"):
            return web.json_response({"error": "crashed"}, status=500)
        return web.json_response({**body, "status": "succeeded"}, status=201)

    async def get_charge(self, request: web.Request) -> web.Response:
        charge = self.charges.by_id(request.match_info["charge_id"])
        if charge is None:
            return web.json_response({"error": "no_such_charge"}, status=404)
        return web.json_response(charge.view())

    async def get_charges(self, request: web.Request) -> web.Response:
        """Charges, newest first; ``?reference=`` narrows to one merchant reference."""
        await asyncio.sleep(self.behaviour.answer_delay_s)
        reference = request.query.get("reference")
        if reference is None:
            found = self.charges.newest(200)
        else:
            known = self.charges.by_reference(reference)
            found = [known] if known else []
        return web.json_response({"items": [charge.view() for charge in found]})

    async def get_deliveries(self, _: web.Request) -> web.Response:
        """Webhook attempts, newest first."""
        return web.json_response({"items": self.webhooks.view()})

    async def _decide(self, charge: Charge, behaviour: Behaviour) -> None:
        late_s = _OUT_OF_ORDER_DELAY_S + behaviour.settle_delay_s if behaviour.out_of_order else 0.0
        self.webhooks.send("charge.pending", charge.view(), behaviour, delay_s=late_s)
        await asyncio.sleep(behaviour.settle_delay_s)
        charge.settle()
        self.webhooks.send(f"charge.{charge.status}", charge.view(), behaviour)


def _is_amount(value: Any) -> bool:
    return type(value) is int and value > 0
