"""Chat through the gateway while everything below it is killed: every device has every message once and in order.

Each run says its seed; ``SAMPAN_FAULT_SEED`` repeats one. ``SAMPAN_FAULT_MESSAGES`` says how many messages are written.
"""

import asyncio
import os
import random
import time

import people
import pytest
from chat_faults.crowd import gather_crowd
from chat_faults.devices import Told, behind, clients, raw_devices, wrong
from chat_faults.disturbance import disturb
from chat_faults.tables import indexed_count, stored_log
from chat_faults.verdict import judge
from chat_faults.writers import Progress, write
from faults import audit, patiently

from testkit.sizes import SOAK
from testkit.wait import eventually

MESSAGES = int(os.environ.get("SAMPAN_FAULT_MESSAGES", "100000" if SOAK else "30000"))
WRITERS, GROUPS, READERS, READERS_EACH = 64, 16, 8, 2
AT_ONCE = 16  # messages of one writer that wait for their answer
READ_WITHIN_S = 60.0
INDEXED_WITHIN_S = 60.0 + MESSAGES / 300  # over Kafka, after all that was killed


@pytest.mark.e2e
@pytest.mark.fault
@pytest.mark.timeout(400 + MESSAGES // 200)
async def test_every_device_has_every_message_once_and_in_order(stack, api, seed):
    groups = await gather_crowd(api, groups=GROUPS, writers=WRITERS, readers=READERS, readers_each=READERS_EACH)
    progress = Progress(MESSAGES, {each.dialog_id: {} for each in groups})
    url = stack.gateway_url
    async with raw_devices(url, groups) as raw, clients(url, groups) as writers:
        logs = [Told(f"raw {n}", *each) for n, device in enumerate(raw) for each in device.logs.items()]
        logs += [told for _, told in writers]
        numbers, clock = iter(range(MESSAGES)), Clock()
        async with asyncio.TaskGroup() as tasks:
            for chat, told in writers:
                tasks.create_task(write(chat, told.dialog_id, numbers, progress, at_once=AT_ONCE))
            tasks.create_task(disturb(random.Random(seed), progress))
        clock.says(f"written, {progress.count / clock.s:.0f}/s; {progress.replayed} had been stored unanswered")
        last_seqs = {each.dialog_id: await last_seq(each) for each in groups}
        await eventually(lambda: not behind(logs, last_seqs), timeout_s=READ_WITHIN_S, every_s=0.1, what="all is read")
        clock.says("read")
        logs += [Told("the database", dialog_id, await stored_log(dialog_id)) for dialog_id in last_seqs]
        assert wrong(logs, progress.acknowledged, last_seqs) == []
        assert progress.count == sum(map(len, progress.acknowledged.values())) == MESSAGES
        assert [each.surprises for each in raw] == [[]] * READERS
        # The control: devices were cut off, and answers were lost after their commit.
        assert min(each.connections for each in raw) > 1
        assert progress.replayed > 0
    await eventually(lambda: is_indexed(last_seqs), timeout_s=INDEXED_WITHIN_S, every_s=0.5, what="all is in the index")
    clock.says("indexed")
    audit("messaging")
    clock.says("audited")
    await every_service_consumes(api)


async def every_service_consumes(api):
    """Kafka was killed under the other services too: they still hear of who comes, and of what is ordered."""
    _, _, variant_id = await people.shop_with_product(api, on_hand=1)
    buyer = await people.buyer_with(api, 500_00)
    checkout = await people.settled(buyer, await people.order(buyer, variant_id))
    assert checkout["payment_status"] == "paid"


class Clock:
    def __init__(self):
        self._began = time.monotonic()

    @property
    def s(self):
        return time.monotonic() - self._began

    def says(self, what):
        print(f"{self.s:6.1f} s  {what}")


async def last_seq(group):
    dialog = await patiently(lambda: group.writers[0].person.get(f"/v1/dialogs/{group.dialog_id}"))
    return dialog["last_seq"]


async def is_indexed(dialog_ids):
    return await indexed_count(dialog_ids) == MESSAGES


RIGHT = [(1, None), (2, "a"), (3, "b"), (4, "c"), (5, None), (6, "d")]
ACKNOWLEDGED = {"a": 2, "b": 3, "c": 4, "d": 6}


def test_the_judge_accepts_a_log_that_is_right():
    assert judge(RIGHT, acknowledged=ACKNOWLEDGED, last_seq=6).names == []


@pytest.mark.parametrize(
    ("log", "names"),
    [
        ([*RIGHT[:4], RIGHT[5]], ["holes"]),
        ([RIGHT[0], *RIGHT[2:]], ["holes", "losses"]),
        (RIGHT[:5], ["holes", "losses"]),
        ([], ["holes", "losses"]),
        ([*RIGHT[:2], RIGHT[3], RIGHT[2], *RIGHT[4:]], ["inversions"]),
        ([*RIGHT[:4], RIGHT[3], *RIGHT[4:]], ["duplicates"]),
        ([*RIGHT, RIGHT[2]], ["inversions", "duplicates"]),
        ([*RIGHT[:4], (5, "c"), RIGHT[5]], ["duplicates", "misplaced"]),
        ([*RIGHT[:3], (4, "another"), *RIGHT[4:]], ["losses"]),
        ([RIGHT[0], (2, "b"), (3, "a"), *RIGHT[3:]], ["misplaced"]),
    ],
    ids=[
        *("hole", "hole where a message was", "no end", "empty", "inversion", "twice", "twice, much later"),
        *("stored twice", "lost without a hole", "swapped"),
    ],
)
def test_the_judge_names_what_is_wrong(log, names):
    assert judge(log, acknowledged=ACKNOWLEDGED, last_seq=6).names == names
