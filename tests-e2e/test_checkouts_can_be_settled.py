"""Whatever commerce accepts can be paid to its end: its own commands, the saga's, and what payment takes of them.

Nothing is started here: commerce places into memory, the saga's builders make the commands, and payment reads them as
it does from the broker. It stands beside the end-to-end tests because no service may import another.
"""

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.adapters.events import Events
from commerce.domain.cart import QUANTITY_MAX
from commerce.domain.checkout import QuantityTooLargeError
from commerce.domain.ids import ProductId, ShopId, UserId, VariantId
from commerce.domain.offer import Offer, WantedLine
from commerce.domain.order import OrderStatus, PaymentStatus
from commerce.domain.product import PRICE_MINOR_MAX
from commerce.domain.stock import Shelf, StockItem
from commerce.domain.tax import TaxClass
from commerce.domain.texts import LocalisedText
from commerce.domain.totals import TotalTooLargeError
from commerce.usecases.place_order import PlaceOrder, place_order
from kernel.country import Country
from kernel.ids import uuid7
from kernel.money import AMOUNT_MINOR_MAX
from orchestrator.domain.definition import SagaContext
from orchestrator.sagas import REGISTRY, TRIGGERS
from payment.domain.ledger import AmountNotPositiveError
from payment.domain.outcome import SharesMismatchError
from payment.entrypoints.consumers.commands import operation_of
from sampan.orchestrator.v1.commands_pb2 import StartOrderPayment
from sampan.payment.v1.commands_pb2 import SellerShare, SettlePayment

NOW = datetime(2026, 11, 21, tzinfo=UTC)
BUYER = UserId(UUID(int=7))
EDGES = [0, 1, PRICE_MINOR_MAX, PRICE_MINOR_MAX + 1, AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX // QUANTITY_MAX]
PRICES = st.sampled_from(EDGES) | st.integers(0, 100) | st.integers(0, PRICE_MINOR_MAX)
QUANTITIES = st.sampled_from([1, 2, 3, QUANTITY_MAX]) | st.integers(1, QUANTITY_MAX)
LINES = st.lists(st.tuples(st.integers(0, 4), PRICES, QUANTITIES, st.sampled_from(TaxClass)), min_size=1, max_size=12)
MONEY_STEPS = {1: ("authorize_payment", "capture_payment"), 2: ("pay_order",)}
EXCLUSIVE = st.sets(st.integers(0, 4))


class Memory:
    """What ``place_order`` writes, kept."""

    def __init__(self, offers):
        self.said, self.stored = [], None
        self.offered = offers
        items = [stock_of(offer) for offer in offers]
        self.tx = SimpleNamespace(
            now=NOW,
            products=SimpleNamespace(offers=self.offers),
            orders=SimpleNamespace(next_numbers=self.next_numbers, add=self.store),
            stock=SimpleNamespace(lock_wanted=lambda *_: done(Shelf(items, (), NOW)), save=lambda _: done(None)),
            events=Events(SimpleNamespace(add=self.say), SimpleNamespace(sellers=self.sellers)),
        )

    def say(self, body, **_):
        self.said.append(body)

    async def offers(self, _):
        return {offer.variant_id: offer for offer in self.offered}

    async def sellers(self, product_ids):
        return dict.fromkeys(product_ids, (UserId(UUID(int=1)), "Tea"))

    async def next_numbers(self, countries, _):
        return [f"{country}-{place}" for place, country in enumerate(countries)]

    async def store(self, checkout, placements):
        self.stored = checkout, placements


async def done(value):
    return value


def stock_of(offer):
    return StockItem(
        variant_id=offer.variant_id,
        product_id=offer.product_id,
        shop_id=offer.shop_id,
        on_hand=10**9,
        reserved=0,
        version=1,
        count_version=1,
    )


def offer_of(country, shop, price_minor, tax_class, *, exclusive):
    return Offer(
        variant_id=VariantId(uuid7()),
        product_id=ProductId(uuid7()),
        shop_id=ShopId(UUID(int=100 + shop)),
        shop_name=f"Shop {shop}",
        seller_id=UserId(UUID(int=200 + shop // 2)),  # two shops of one seller among them
        country=country,
        currency=country.currency,
        prices_include_tax=not exclusive,
        sku="A",
        options={},
        titles=LocalisedText({"en": "Tea"}),
        shop_language="en",
        price_minor=price_minor,
        tax_class=tax_class,
        for_sale=True,
    )


async def placed(country, lines, exclusive):
    """The memory after it was accepted, or None."""
    offers = [
        offer_of(country, shop, price_minor, tax_class, exclusive=shop in exclusive)
        for shop, price_minor, _, tax_class in lines
    ]
    wanted = [
        WantedLine(variant_id=offer.variant_id, quantity=quantity)
        for offer, (_, _, quantity, _) in zip(offers, lines, strict=True)
    ]
    memory = Memory(offers)
    try:
        await place_order(PlaceOrder(buyer_id=BUYER, language="en", lines=wanted), memory.tx)
    except (TotalTooLargeError, QuantityTooLargeError):
        assert memory.stored is None
        return None
    return memory


def operations(start):
    """What payment is asked for by every saga that may carry it, read as payment reads it."""
    TRIGGERS[StartOrderPayment].check(start)
    for definition in REGISTRY:
        data = definition.decode(start.SerializeToString())
        context = SagaContext(saga_id=UUID(int=9), data=data, failure_code="")
        steps = {step.name: step for step in definition.steps}
        yield [
            operation_of(steps[name].do.build(context), NOW)
            for name in (*MONEY_STEPS[definition.version], "settle_payment")
        ]


@given(country=st.sampled_from(Country), lines=LINES, exclusive=EXCLUSIVE)
async def test_what_is_accepted_can_be_settled(country, lines, exclusive):
    memory = await placed(country, lines, exclusive)
    if memory is None:
        return
    checkout, placements = memory.stored
    starts = [body for body in memory.said if isinstance(body, StartOrderPayment)]
    if checkout.total_minor == 0:
        assert starts == []
        assert {each.order.status for each in placements} == {OrderStatus.CONFIRMED}
        assert {each.order.payment_status for each in placements} == {PaymentStatus.NOT_REQUIRED}
        return
    [start] = starts
    for *taken, settle in operations(start):
        assert {each.amount_minor for each in taken} == {checkout.total_minor}
        assert 0 < checkout.total_minor <= AMOUNT_MINOR_MAX
        assert sum(share.amount_minor for share in settle.shares) == checkout.total_minor
        assert all(share.amount_minor > 0 for share in settle.shares)
        assert {each.currency for each in (*taken, settle)} == {country.currency.value}
        owed = {each.order.id: each.order.total_minor for each in placements if each.order.total_minor}
        assert {share.order_id: share.amount_minor for share in settle.shares} == owed


async def test_negative_control_shares_that_payment_refuses_are_noticed():
    memory = await placed(Country.TH, [(0, 100, 1, TaxClass.GENERAL), (1, 0, 1, TaxClass.GENERAL)], set())
    _, placements = memory.stored
    [start] = [body for body in memory.said if isinstance(body, StartOrderPayment)]
    shares = [SellerShare(order_id=str(each.order.id), seller_id=str(each.order.seller_id)) for each in placements]
    for share in shares:
        share.amount.currency, share.amount.amount_minor = "THB", 50
    settle = SettlePayment(checkout_id=start.checkout_id, hold_id=str(uuid7()), shares=shares)
    assert operation_of(settle, NOW)
    settle.shares[0].amount.amount_minor = -1
    with pytest.raises(AmountNotPositiveError):
        operation_of(settle, NOW)
    settle.shares[0].amount.amount_minor = 50
    settle.shares[0].amount.currency = "VND"
    with pytest.raises(SharesMismatchError):
        operation_of(settle, NOW)
