"""What was published, published again from ``event_log``: to another topic (backfill), or on the topic itself.

Event ids, keys, times and flows are the original ones, so consumers that have them skip them. The rows go through the
outbox, hence in order per key and at the relay's pace, and are not logged a second time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from eventing.clients import close_consumer
from eventing.kafka import KafkaConfig
from eventing.outbox import OutboxConfig
from eventing.tables import RECORD_COLUMNS
from kernel.tasks import within

PAGE_RECORDS: Final = 2_000
REWIND_S: Final = 60.0
CLOSE_S: Final = 10.0


async def replay(
    conn: asyncpg.Connection,
    config: OutboxConfig,
    topic: str,
    *,
    since: datetime,
    until: datetime,
    to: str | None = None,
    key: str | None = None,
) -> int:
    """Put the log's records of ``topic`` published in [since, until) back into the outbox; returns how many.

    ``to`` names another topic, without prefix. Each page is a transaction; a replay cut short may be started again.
    """
    if since.tzinfo is None or until.tzinfo is None:
        raise ValueError("since and until have a time zone")
    columns = RECORD_COLUMNS.replace("topic", "$5::text").replace("logged", "false")
    replayed, after = 0, 0
    while True:
        row = await conn.fetchrow(
            f"""WITH page AS (
                    SELECT * FROM {config.schema}.event_log
                    WHERE topic = $1 AND published_at >= $2 AND published_at < $3 AND id > $4
                      AND ($6::text IS NULL OR key = $6)
                    ORDER BY id LIMIT {PAGE_RECORDS}
                ), put AS (
                    INSERT INTO {config.schema}.outbox ({RECORD_COLUMNS}) SELECT {columns} FROM page ORDER BY id
                )
                SELECT count(*) AS records, max(id) AS last FROM page""",
            topic,
            since,
            until,
            after,
            to or topic,
            key,
        )
        if row is None or row["records"] == 0:
            return replayed
        replayed += row["records"]
        after = row["last"]


async def rewind_group(kafka: KafkaConfig, group: str, topic: str, since: datetime) -> dict[int, int]:
    """Set a group's offsets on a topic to the first records at or after ``since``; returns them by partition.

    The group must have no members: stop its consumers first, or the broker refuses. The inbox still skips what the
    consumer has claimed; to handle everything once more, give the subscriptions a new consumer name.
    """
    name = kafka.topic_prefix + topic
    consumer = AIOKafkaConsumer(**kafka.connection(), group_id=kafka.topic_prefix + group, enable_auto_commit=False)
    try:
        return await within(REWIND_S, _rewind(consumer, name, since))
    finally:
        await close_consumer(consumer, CLOSE_S)


async def _rewind(consumer: AIOKafkaConsumer, name: str, since: datetime) -> dict[int, int]:
    await consumer.start()
    await consumer._client._wait_on_metadata(name)  # noqa: SLF001 -- nothing public waits for a topic
    partitions = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name) or ()]
    consumer.assign(partitions)
    found = await consumer.offsets_for_times({tp: int(since.timestamp() * 1000) for tp in partitions})
    ends = await consumer.end_offsets(partitions)
    offsets = {tp: at.offset if (at := found[tp]) is not None else ends[tp] for tp in partitions}
    await consumer.commit(offsets)
    return {tp.partition: offset for tp, offset in offsets.items()}
