"""Questions that arrive while one is being answered are asked together."""

import asyncio

from chassis.batching import Batcher


async def test_questions_that_come_together_are_asked_together():
    asked = []

    async def answer(keys):
        asked.append(list(keys))
        await asyncio.sleep(0)
        return [key * 10 for key in keys]

    batcher = Batcher(answer, batch_max=3)
    assert await asyncio.gather(*[batcher.ask(each) for each in range(7)]) == [0, 10, 20, 30, 40, 50, 60]
    assert [len(each) for each in asked] == [3, 3, 1]
    assert await batcher.ask(9) == 90


async def test_a_failed_question_fails_only_those_who_asked_with_it():
    async def answer(keys):
        if 1 in keys:
            raise ValueError("no")
        return keys

    batcher = Batcher(answer, batch_max=2)
    found = await asyncio.gather(*[batcher.ask(each) for each in range(4)], return_exceptions=True)
    assert [type(each) for each in found[:2]] == [ValueError, ValueError]
    assert found[2:] == [2, 3]
