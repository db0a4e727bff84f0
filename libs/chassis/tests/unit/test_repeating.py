"""A runner of steps tells readiness and the log that they fail, and finishes before it stops."""

import asyncio

from structlog.testing import capture_logs

from chassis.run import Repeating
from kernel.backoff import BackoffPolicy
from testkit.wait import eventually


class Queue(Repeating):
    name = "queue"
    failing = "nothing is taken"
    again = BackoffPolicy.constant(0.01)
    first_pause_s = None

    def __init__(self):
        super().__init__()
        self.waiting, self.taken, self.away = [], [], False

    def add(self, item):
        self.waiting.append(item)
        self.notifier.notify()

    def unfinished(self):
        return bool(self.waiting)

    async def step(self):
        await asyncio.sleep(0)
        if self.away:
            raise OSError("gone")
        if self.waiting:
            self.taken.append(self.waiting.pop(0))
        return 0 if self.waiting else None


async def test_it_works_when_it_is_notified_and_finishes_before_it_stops():
    queue, stop = Queue(), asyncio.Event()
    running = asyncio.create_task(queue.run(stop))
    for item in range(3):
        queue.add(item)
    await eventually(lambda: queue.taken == [0, 1, 2])
    queue.add(3)
    queue.add(4)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert queue.taken == [0, 1, 2, 3, 4]


async def test_it_says_what_fails_until_a_step_succeeds_with_one_traceback():
    queue, stop = Queue(), asyncio.Event()
    queue.away = True
    with capture_logs() as lines:
        running = asyncio.create_task(queue.run(stop))
        queue.add("late")
        await eventually(lambda: len(lines) >= 3)
        assert queue.problem() == "nothing is taken: OSError"
        queue.away = False
        await eventually(lambda: queue.taken == ["late"])
    assert queue.problem() is None
    assert {(each["event"], each["runner"], each["error"]) for each in lines} == {("step.failed", "queue", "OSError")}
    assert [bool(each["exc_info"]) for each in lines[:3]] == [True, False, False]
    stop.set()
    await asyncio.wait_for(running, 5)
