"""The time of a transaction is the app's clock, and goes on while the transaction lasts."""

from datetime import timedelta

from kernel.clock import FixedClock
from notification.adapters.transaction import NotificationTx


def test_what_is_told_later_in_one_transaction_is_newer():
    clock = FixedClock()
    tx = NotificationTx(None, None, clock)
    first = tx.now
    assert first == clock.now()
    clock.advance(1)
    assert tx.now - first == timedelta(seconds=1)
