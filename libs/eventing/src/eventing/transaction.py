"""What a handler's transaction must offer to eventing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from eventing.outbox import Outbox


class Transaction(Protocol):
    """A service's own Tx: one connection with an open transaction, and the outbox bound to it."""

    @property
    def conn(self) -> Any: ...

    @property
    def outbox(self) -> Outbox: ...


TxT = TypeVar("TxT", bound=Transaction)
Begin = Callable[[], AbstractAsyncContextManager[TxT]]
