"""Questions that arrive while one is being answered are asked together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT")
AnswerT = TypeVar("AnswerT")


class Batcher(Generic[KeyT, AnswerT]):
    """``answer`` gives one answer for each key, in order. Its error is everybody's who asked with it."""

    def __init__(self, answer: Callable[[Sequence[KeyT]], Awaitable[Sequence[AnswerT]]], *, batch_max: int) -> None:
        self._answer = answer
        self._batch_max = batch_max
        self._waiting: deque[tuple[KeyT, asyncio.Future[AnswerT]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def ask(self, key: KeyT) -> AnswerT:
        future: asyncio.Future[AnswerT] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, future))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._batch_max))]
                try:
                    answers = await self._answer([key for key, _ in batch])
                except Exception as error:  # noqa: BLE001 -- told to whoever asked
                    for _, future in batch:
                        if not future.done():
                            future.set_exception(error)
                    continue
                for (_, future), answer in zip(batch, answers, strict=True):
                    if not future.done():
                        future.set_result(answer)
        finally:
            self._task = None
