"""Which notification types exist: category, priority and channels of each.

Adding one is a line here, its texts in ``adapters/data/``, and a line in the consumers that says whom it is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from notification.domain.notification import Category, Channel, Priority
from notification.domain.recipient import Recipient


@dataclass(frozen=True, slots=True)
class Rule:
    """How one type of notification is sent. ``params`` are the variables its texts may use.

    Without ``by_name`` its mail has no name in its greeting and holds nothing that a person typed: only such mail goes
    to an address that is not proved yet.
    """

    notification_type: str
    category: Category
    priority: Priority
    channels: frozenset[Channel]
    params: frozenset[str]
    lifetime: timedelta = timedelta(days=90)
    by_name: bool = True


def may_be_sent(notification_type: str, channel: Channel, recipient: Recipient) -> bool:
    """Whether it may leave the app: what a person typed is not sent to an address that may be a stranger's."""
    return not (RULES[notification_type].by_name and recipient.has_unproved(channel))


def _rule(name: str, priority: Priority, channels: set[Channel], params: set[str], *, by_name: bool = True) -> Rule:
    return Rule(name, Category.TRANSACTIONAL, priority, frozenset(channels), frozenset(params), by_name=by_name)


_IN_APP, _BOTH = {Channel.IN_APP}, {Channel.IN_APP, Channel.EMAIL}
_ORDER = {"order_number", "shop_name", "total"}
_STATUS = {"order_number", "shop_name"}

RULES: Final = {
    rule.notification_type: rule
    for rule in (
        _rule("welcome", Priority.NORMAL, _BOTH, set(), by_name=False),
        _rule("order_paid", Priority.HIGH, _BOTH, _ORDER),
        _rule("order_confirmed", Priority.HIGH, _BOTH, _ORDER),
        _rule("order_received", Priority.HIGH, _IN_APP, _ORDER),
        _rule("order_cancelled", Priority.HIGH, _BOTH, {*_ORDER, "reason_code"}),
        _rule("order_cancelled_seller", Priority.NORMAL, _IN_APP, _ORDER),
        _rule("order_processing", Priority.NORMAL, _IN_APP, _STATUS),
        _rule("order_shipped", Priority.NORMAL, _BOTH, _STATUS),
        _rule("order_delivered", Priority.NORMAL, _IN_APP, _STATUS),
        _rule("money_received", Priority.HIGH, _IN_APP, {"amount"}),
        _rule("money_sent", Priority.NORMAL, _IN_APP, {"amount"}),
        _rule("top_up_completed", Priority.NORMAL, _IN_APP, {"amount"}),
        _rule("top_up_failed", Priority.HIGH, _IN_APP, {"amount"}),
        _rule("top_up_in_review", Priority.HIGH, _IN_APP, {"amount"}),
        _rule("top_up_returned", Priority.HIGH, _IN_APP, {"amount"}),
        _rule("stock_ran_out", Priority.NORMAL, _IN_APP, {"product_title"}),
    )
}
