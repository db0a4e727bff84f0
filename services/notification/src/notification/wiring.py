"""The only place where objects are built: settings in, a frozen App out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from kernel.clock import Clock
from kernel.notifier import Notifier
from notification.adapters.email_gateway import EmailGateway
from notification.adapters.sms_gateway import SmsGateway
from notification.adapters.template_gateway import Templates
from notification.adapters.transaction import NotificationTx
from notification.adapters.watched_gateway import WatchedGateway
from notification.domain.notification import Channel
from notification.settings import NotificationSettings
from operations import Parts, open_parts

NAME: Final = "notification"


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Parts):
    """Everything a running role needs."""

    settings: NotificationSettings
    templates: Templates
    gateways: Mapping[Channel, WatchedGateway]
    notifier: Notifier

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[NotificationTx]:
        """Commits at the end of the block, events and effects together."""
        async with self.transaction(user_id) as (conn, outbox):
            tx = NotificationTx(conn, outbox, self.clock)
            yield tx
        if tx.deliveries.queued:
            self.notifier.notify()


@asynccontextmanager
async def wire(settings: NotificationSettings, clock: Clock | None = None) -> AsyncIterator[App]:
    """Open what the service stands on; close it in reverse."""
    templates = Templates()
    email = EmailGateway(
        host=settings.smtp_host, port=settings.smtp_port, sender=settings.email_sender, templates=templates
    )
    sms = SmsGateway(
        base_url=settings.sms_base_url, api_key=settings.sms_api_key.get_secret_value(), templates=templates
    )
    async with open_parts(settings, NAME, clock=clock) as opened:
        try:
            yield App(
                **opened.parts(),
                settings=settings,
                templates=templates,
                gateways={each.channel: WatchedGateway(each) for each in (email, sms)},
                notifier=Notifier(),
            )
        finally:
            await email.close()
            await sms.close()
