"""Routes of the cart: everybody has one, nobody sees another's."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from chassis.http import Routes, reading_language
from chassis.tokens import Principal
from commerce.adapters.stock_reads import available_of
from commerce.adapters.transaction import CommerceTx
from commerce.domain.account import AccountEndedError
from commerce.domain.cart import CartFullError, NotForSaleError
from commerce.domain.ids import UserId, VariantId
from commerce.domain.product import VariantNotFoundError
from commerce.domain.totals import TotalTooLargeError
from commerce.entrypoints.schemas.carts import CartItemBody, CartItemView, CartView
from commerce.usecases.put_in_cart import PutInCart, put_in_cart
from commerce.usecases.take_from_cart import TakeFromCart, take_from_cart

routes = Routes(tag="cart")


@routes.get("/v1/cart", summary="Your cart, with today's prices beside those you saw")
async def get_cart(request: web.Request, principal: Principal, tx: CommerceTx) -> CartView:
    return await _cart(request, principal, tx)


@routes.put(
    "/v1/cart/items/{variant_id}",
    errors=(VariantNotFoundError, NotForSaleError, CartFullError, TotalTooLargeError, AccountEndedError),
    summary="Put so many of a variant into the cart",
)
async def put_item(
    request: web.Request, principal: Principal, variant_id: UUID, body: CartItemBody, tx: CommerceTx
) -> CartView:
    """Puts it again to accept a changed price."""
    await put_in_cart(
        PutInCart(user_id=UserId(principal.user_id), variant_id=VariantId(variant_id), quantity=body.quantity), tx
    )
    return await _cart(request, principal, tx)


@routes.delete("/v1/cart/items/{variant_id}", summary="Take a variant out of the cart")
async def delete_item(request: web.Request, principal: Principal, variant_id: UUID, tx: CommerceTx) -> CartView:
    await take_from_cart(TakeFromCart(user_id=UserId(principal.user_id), variant_id=VariantId(variant_id)), tx)
    return await _cart(request, principal, tx)


async def _cart(request: web.Request, principal: Principal, tx: CommerceTx) -> CartView:
    items = await tx.carts.items(UserId(principal.user_id))
    variant_ids = [item.variant_id for item in items]
    offers = await tx.products.offers(variant_ids)
    available = await available_of(tx.conn, variant_ids, tx.now)
    language = reading_language(request)
    return CartView.of(
        [
            CartItemView.of(item, offers.get(item.variant_id), available.get(item.variant_id, 0), language)
            for item in items
        ]
    )
