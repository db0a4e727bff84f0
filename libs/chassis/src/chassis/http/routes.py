"""The route table: what each route is, as its author wrote it down.

Nothing is interpreted here; ``signature.py`` reads the handlers once at start.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, TypeVar

from kernel.errors import DomainError

Auth = Literal["user", "public", "optional"]
Idempotency = Literal["required", "optional", "none", "own"]
Handler = Callable[..., Awaitable[Any]]
HandlerT = TypeVar("HandlerT", bound=Handler)

BODY_BYTES_MAX = 1024 * 1024
_TEMPLATE = re.compile(r"^(/[A-Za-z0-9._~-]+|/\{[a-z_][a-z0-9_]*\})+$")


class RouteError(Exception):
    """A route that cannot be served as written: found at start, never by a client."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Only callers with at least one of these roles."""

    names: frozenset[str]


def roles(*names: str) -> Roles:
    """``auth=roles("ops", "admin")``: one of them is enough."""
    return Roles(frozenset(names))


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most so many requests in a sliding window, per user or (``per_address``) per client address.

    ``fails``: what happens while Redis is away. "open" lets requests through, "closed" answers 503.
    """

    name: str
    _: KW_ONLY
    per_user: int | None = None
    per_address: int | None = None
    window_s: float = 60
    fails: Literal["open", "closed"] = "open"

    def __post_init__(self) -> None:
        if (self.per_user is None) == (self.per_address is None):
            raise RouteError(f"rate limit {self.name}: give per_user or per_address")

    @property
    def quota(self) -> int:
        return self.per_user or self.per_address or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method on one path.

    ``status``: of a plain view (default 200, or 204 without a view); give several when a ``Reply`` may choose another,
    the default first. ``errors``: the refusals its domain makes, for the documentation. ``rows_of_caller``: whether
    ``tx`` sees only the caller's rows where policies apply (default: yes, except on routes for roles). ``deprecated``
    and ``sunset``: values of the headers, a date as ``@unix`` and as HTTP date. ``reads`` and ``answers_with``: headers
    of its own by name, with a sentence about each, for the documentation.
    """

    method: str
    path: str
    handler: Handler
    tag: str
    status: int | Sequence[int] = ()
    auth: Auth | Roles = "user"
    idempotency: Idempotency | None = None
    errors: Sequence[type[DomainError]] = ()
    summary: str = ""
    description: str = ""
    limit: RateLimit | Sequence[RateLimit] = ()
    body_bytes_max: int = BODY_BYTES_MAX
    rows_of_caller: bool | None = None
    deprecated: str | None = None
    sunset: str | None = None
    reads: Mapping[str, str] = field(default_factory=dict)
    answers_with: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def statuses(self) -> tuple[int, ...]:
        return (self.status,) if isinstance(self.status, int) else tuple(self.status)

    @property
    def limits(self) -> tuple[RateLimit, ...]:
        return (self.limit,) if isinstance(self.limit, RateLimit) else tuple(self.limit)


class Routes:
    """Routes of one tag, collected by decorators::

    routes = Routes(tag="orders")

    @routes.get("/v1/orders/{order_id}", summary="Get an order", errors=(OrderNotFoundError,))
    async def get_order(order_id: UUID, principal: Principal, app: App) -> OrderView: ...

    ``shared`` are options of each of them that it does not give itself.
    """

    def __init__(self, tag: str, *, into: list[Route] | None = None, **shared: Any) -> None:
        self.tag = tag
        self._shared = shared
        self._routes: list[Route] = [] if into is None else into

    def sharing(self, **options: Any) -> Routes:
        """The same table; what is registered here shares these options too."""
        return Routes(self.tag, into=self._routes, **{**self._shared, **options})

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def get(self, path: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
        return self.route("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
        return self.route("POST", path, **options)

    def put(self, path: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
        return self.route("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
        return self.route("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
        return self.route("DELETE", path, **options)

    def route(self, method: str, path: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
        """Register a handler. ``options`` are those of ``Route``; what it says of itself is the handler's docstring."""
        if not _TEMPLATE.fullmatch(path):
            raise RouteError(f"{method} {path}: not a path template")

        def register(handler: HandlerT) -> HandlerT:
            doc = (handler.__doc__ or "").strip()
            about = {"summary": doc.split("\n", maxsplit=1)[0].rstrip("."), "description": doc}
            given = {**about, **self._shared, **options}
            self._routes.append(Route(method=method, path=path, handler=handler, tag=self.tag, **given))
            return handler

        return register
