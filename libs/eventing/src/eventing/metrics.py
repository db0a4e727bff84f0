"""Prometheus metrics of eventing. Labels hold names, never keys or ids."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

LATENCY_BUCKETS_S: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)

OUTBOX_PENDING: Final = Gauge(
    "eventing_outbox_pending_records",
    "Records committed and not yet acknowledged by the broker (counted up to 100,000)",
    ["schema"],
)
OUTBOX_OLDEST_AGE: Final = Gauge("eventing_outbox_oldest_age_seconds", "Age of the oldest pending record", ["schema"])
OUTBOX_PARKED_KEYS: Final = Gauge(
    "eventing_outbox_parked_keys", "Keys the broker refuses a record of; they wait for an operator", ["schema"]
)
RELAY_PUBLISHED: Final = Counter("eventing_relay_published_records", "Records acknowledged", ["schema"])
RELAY_LATENCY: Final = Histogram(
    "eventing_relay_latency_seconds",
    "From the record's time to the broker's acknowledgement",
    ["schema"],
    buckets=LATENCY_BUCKETS_S,
)
RELAY_LANES: Final = Gauge("eventing_relay_lanes", "Lanes this process owns", ["schema"])
PRODUCER_REBUILDS: Final = Counter("eventing_producer_rebuilds", "Producers killed and rebuilt", ["schema", "reason"])

CONSUMER_RECORDS: Final = Counter(
    "eventing_consumer_records",
    "Records taken from the log, by what became of them",
    ["consumer", "outcome"],
)
CONSUMER_LATENCY: Final = Histogram(
    "eventing_consumer_latency_seconds",
    "From the record's time to the commit of its effect",
    ["consumer"],
    buckets=LATENCY_BUCKETS_S,
)
CONSUMER_BATCH: Final = Histogram(
    "eventing_consumer_batch_records",
    "Records committed in one transaction",
    ["consumer"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
CONSUMER_LAG: Final = Gauge(
    "eventing_consumer_lag_records", "Records behind the end of the partition", ["consumer", "topic", "partition"]
)
CONSUMER_HELD: Final = Gauge(
    "eventing_consumer_held_records", "Records waiting for a retry, or behind one that does", ["consumer"]
)
CONSUMER_RETRIES: Final = Counter(
    "eventing_consumer_retries", "Attempts put off, by kind of error", ["consumer", "error"]
)
CONSUMER_REBUILDS: Final = Counter(
    "eventing_consumer_rebuilds", "Kafka clients killed and rebuilt", ["consumer", "reason"]
)
DEAD_LETTERS_WAITING: Final = Gauge(
    "eventing_dead_letters_waiting", "Dead letters of the schema's consumers nobody has closed", ["schema"]
)
DEAD_LETTERS: Final = Counter("eventing_dead_letters", "Records put aside", ["consumer", "reason"])
