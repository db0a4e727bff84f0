"""Tell people one thing each, once, over every channel its rule names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from kernel.correlation import InFlow, same_flow
from kernel.ids import derived_id
from notification.domain.delivery import Delivery
from notification.domain.ids import DeliveryId, NotificationId, UserId
from notification.domain.notification import Channel, Notification
from notification.domain.rules import RULES
from notification.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyPerson:
    """``source_id`` is the fact's own id; the notification's id is derived from it, so a repeat changes nothing."""

    source_id: UUID
    user_id: UserId
    notification_type: str
    action_url: str = ""
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotifyPeople:
    """``in_flow``: the flow of each source, for its event."""

    people: Sequence[NotifyPerson]
    in_flow: InFlow = same_flow


async def notify_people(command: NotifyPeople, tx: Tx) -> None:
    """Write the notifications, their deliveries and the events that say so: all, or none."""
    made = {each[0].notification_id: each for each in _made(command.people, tx)}
    added = await tx.notifications.add([notification for notification, _ in made.values()])
    told = [each for notification_id, each in made.items() if notification_id in added]
    await tx.deliveries.add([delivery for notification, _ in told for delivery in _deliveries(notification)])
    for notification, person in told:
        with command.in_flow(person.source_id):
            tx.events.notification_created(notification)


def _made(people: Sequence[NotifyPerson], tx: Tx) -> Iterator[tuple[Notification, NotifyPerson]]:
    for person in people:
        rule, now = RULES[person.notification_type], tx.now  # of one later than the other, for who reads them in order
        told_id = derived_id(person.source_id, f"{person.notification_type}:{person.user_id}")
        notification = Notification(
            notification_id=NotificationId(told_id),
            user_id=person.user_id,
            notification_type=person.notification_type,
            category=rule.category,
            priority=rule.priority,
            dedupe_key=f"{person.notification_type}:{person.source_id}",
            action_url=person.action_url,
            params=person.params,
            created_at=now,
            expires_at=now + rule.lifetime,
        )
        yield notification, person


def _deliveries(notification: Notification) -> Iterator[Delivery]:
    rule = RULES[notification.notification_type]
    for channel in sorted(rule.channels - {Channel.IN_APP}):
        yield Delivery(
            delivery_id=DeliveryId(derived_id(notification.notification_id, channel)),
            notification_id=notification.notification_id,
            user_id=notification.user_id,
            channel=channel,
            priority=notification.priority,
            message_type=notification.notification_type,
            params=notification.params,
            created_at=notification.created_at,
            expires_at=notification.created_at + rule.lifetime,
        )
