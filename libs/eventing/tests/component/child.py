"""A process that a test kills: writes, relays or consumes on the database and broker named in its environment."""

import asyncio
import json
import os
import signal
import sys

import asyncpg
import uvloop

from eventing import Consumer, KafkaConfig, OutboxConfig, Relay, Subscriptions, Wakeups
from sampan.commerce.v1 import order_pb2
from testkit.transaction import Tx, begin_on


def effect_handlers(consumer: str) -> Subscriptions[Tx]:
    """Each event adds one row; a second effect of the same event would be a second row."""
    subscriptions: Subscriptions[Tx] = Subscriptions(consumer)

    @subscriptions.on(order_pb2.OrderPlaced)
    async def on_placed(message, tx):
        await tx.conn.execute(
            "INSERT INTO commerce.effect (event_id, key, number) VALUES ($1, $2, $3)",
            message.id,
            message.key,
            message.aggregate_version,
        )

    return subscriptions


async def write(begin, events: int, keys: int) -> None:
    """One transaction an event: the business row and the record."""
    for number in range(events):
        async with begin() as tx:
            await tx.conn.execute("INSERT INTO commerce.business (number) VALUES ($1)", number)
            tx.outbox.add(order_pb2.OrderPlaced(order_id=f"o{number % keys}"), aggregate_version=number)


async def main() -> None:
    role, facts = sys.argv[1], json.loads(os.environ["EVENTING_CHILD"])
    kafka = KafkaConfig(**facts["kafka"])
    config = OutboxConfig(schema="commerce", source="commerce")
    pool = await asyncpg.create_pool(facts["dsn"], min_size=1, max_size=2)
    wakeups = Wakeups(facts["dsn"], "commerce")
    begin = begin_on(pool, config, wakeups)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    if role == "write":
        await write(begin, facts["events"], facts["keys"])
    elif role == "relay":
        await Relay(
            dsn=facts["dsn"],
            config=config,
            kafka=kafka,
            wakeups=wakeups,
            batch_records=facts.get("batch", 10),
            fence_s=facts.get("fence_s", 10.0),
            rebalance_s=0.3,
        ).run(stop)
    else:
        await Consumer(
            effect_handlers("commerce"),
            begin=begin,
            config=config,
            kafka=kafka,
            poll_records=facts.get("batch", 10),
            commit_interval_s=0.0,
        ).run(stop)
    await wakeups.close()
    await pool.close()


if __name__ == "__main__":
    uvloop.run(main())
