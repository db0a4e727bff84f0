"""One transaction of the notification service: what is written in it commits together, or not at all."""

from __future__ import annotations

from datetime import datetime

from chassis.postgres import Connection
from eventing import Outbox
from kernel.clock import Clock
from notification.adapters.delivery_store import DeliveryStore
from notification.adapters.events import Events
from notification.adapters.notification_store import NotificationStore
from notification.adapters.recipient_store import RecipientStore


class NotificationTx:
    def __init__(self, conn: Connection, outbox: Outbox, clock: Clock) -> None:
        self.conn, self.outbox, self._clock = conn, outbox, clock
        self.recipients = RecipientStore(conn)
        self.notifications = NotificationStore(conn)
        self.deliveries = DeliveryStore(conn)
        self.events = Events(outbox)

    @property
    def now(self) -> datetime:
        """It goes on while the transaction lasts: the records of one poll share it, and a person reads what they were
        told in the order in which it was handled.
        """
        return self._clock.now()
