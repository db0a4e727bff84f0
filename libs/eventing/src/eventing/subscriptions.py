"""Which handler takes which message type: a module-level table, filled by decorators, read by a consumer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, overload

from google.protobuf.message import Message as Body

from eventing.message import Message
from eventing.record_option import topic_of, travel_of
from kernel.errors import DomainError

TxT = TypeVar("TxT")
B = TypeVar("B", bound=Body)
Topics = str | Sequence[str] | None
One = Callable[[Message[B], TxT], Awaitable[None]]
Many = Callable[[Sequence[Message[Any]], TxT], Awaitable[None]]
ManyCommands = Callable[[Sequence[Message[Any]], TxT], Awaitable[Sequence[DomainError | None]]]
ManyT = TypeVar("ManyT", bound=Callable[..., Awaitable[Any]])


@dataclass(frozen=True, slots=True, eq=False)
class Handler:
    """One registered function. ``batch`` takes many messages a call, ``command`` is answered."""

    function: Callable[..., Awaitable[Any]]
    batch: bool
    command: bool
    versioned: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """One message type of one topic, with the function that handles it."""

    body: type[Body]
    handler: Handler


class Subscriptions(Generic[TxT]):
    """Handlers of one consumer. ``consumer`` names its group and its inbox; a new name starts from the beginning.
    It is the service's name, or begins with that and a dot: so do the groups that a service may join.

    ``rest_s``: what nobody waits for is cheaper in larger batches, so the consumer rests that long between small ones.
    """

    def __init__(self, consumer: str, *, rest_s: float = 0.0) -> None:
        self.consumer = consumer
        self.rest_s = rest_s
        self._by_type: dict[tuple[str, str], Subscription] = {}

    def on(
        self, body: type[B], *, topic: Topics = None, versioned: bool = False
    ) -> Callable[[One[B, TxT]], One[B, TxT]]:
        """Handle a domain event. A ``DomainError`` is permanent (dead letter) unless its kind is UNAVAILABLE.

        ``versioned`` rejects a message whose aggregate_version is below the newest one handled for its key.
        """

        def register(function: One[B, TxT]) -> One[B, TxT]:
            self._add([body], topic, Handler(function, batch=False, command=False, versioned=versioned))
            return function

        return register

    def on_command(self, body: type[B], *, topic: Topics = None) -> Callable[[One[B, TxT]], One[B, TxT]]:
        """Handle a command; the reply is automatic: succeeded, or rejected with the ``DomainError``'s code."""

        def register(function: One[B, TxT]) -> One[B, TxT]:
            self._add([body], topic, Handler(function, batch=False, command=True, versioned=False))
            return function

        return register

    @overload
    def on_batch(
        self, *bodies: type[Body], commands: Literal[False] = False, topic: Topics = None, versioned: bool = False
    ) -> Callable[[Many[TxT]], Many[TxT]]: ...

    @overload
    def on_batch(
        self, *bodies: type[Body], commands: Literal[True], topic: Topics = None, versioned: bool = False
    ) -> Callable[[ManyCommands[TxT]], ManyCommands[TxT]]: ...

    def on_batch(
        self, *bodies: type[Body], commands: bool = False, topic: Topics = None, versioned: bool = False
    ) -> Callable[[Any], Any]:
        """Handle many messages in one call, each key's in order.

        The function must not fail for one message's sake. With ``commands`` it returns, per message, the
        ``DomainError`` that rejects it or None, having written nothing for a rejected one.
        """

        def register(function: ManyT) -> ManyT:
            self._add(bodies, topic, Handler(function, batch=True, command=commands, versioned=versioned))
            return function

        return register

    @property
    def topics(self) -> frozenset[str]:
        """Topics to subscribe to, without prefix."""
        return frozenset(topic for topic, _ in self._by_type)

    def find(self, topic: str, type_name: str) -> Subscription | None:
        """The subscription for a record, None when nobody asked for it."""
        return self._by_type.get((topic, type_name))

    def _add(self, bodies: Sequence[type[Body]], topic: Topics, handler: Handler) -> None:
        if not bodies:
            raise ValueError("name at least one message type")
        for body in bodies:
            topics = [topic_of(body)] if topic is None else [topic] if isinstance(topic, str) else topic
            for name in topics:
                place = (name, travel_of(body).type)
                if place in self._by_type:
                    raise ValueError(f"{place[1]} on {name} has a handler already")
                self._by_type[place] = Subscription(body, handler)
