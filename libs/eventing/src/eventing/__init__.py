"""Transactional outbox, relay, consumer with inbox, dead letters and replay over Kafka and Postgres.

It carries facts from one committed transaction to others: nothing committed is lost, nothing has its effect twice,
and the records of one key stay in order. It knows no service, and refuses to publish anything outside a transaction.
"""

from eventing.consumer import Consumer
from eventing.inbox import Inbox
from eventing.kafka import KafkaConfig
from eventing.message import Message
from eventing.outbox import Outbox, OutboxConfig, RecordTooLargeError
from eventing.record_option import topic_of
from eventing.relay import Relay
from eventing.subscriptions import Subscriptions
from eventing.tracing import flows_of, in_flow_of, traceparent_of
from eventing.transaction import Transaction
from eventing.wakeups import Wakeups

__all__ = [
    "Consumer",
    "Inbox",
    "KafkaConfig",
    "Message",
    "Outbox",
    "OutboxConfig",
    "RecordTooLargeError",
    "Relay",
    "Subscriptions",
    "Transaction",
    "Wakeups",
    "flows_of",
    "in_flow_of",
    "topic_of",
    "traceparent_of",
]
