"""``/v1/ops/<service>/…``: what waits to be published, what could not be handled, and another try at it.

For the roles ops and admin. Discarding is left to the command line: it gives up an effect.
"""

from __future__ import annotations

from typing import Any, Final

from chassis.http import Page, PageQuery, Routes, roles
from chassis.paging import CursorInvalidError
from chassis.tokens import Principal
from eventing.dead_letters import find_dead_letter, list_dead_letters
from eventing.parking import parked_keys
from eventing.pending import pending
from eventing.redrive import RedriveReport, redrive
from kernel.errors import DomainError
from operations.acts import audited
from operations.app import Handlers, OperatedApp, handlers_of, schema_of, service_of
from operations.letters import DeadLetterClosedError, DeadLetterNotFoundError
from operations.views import (
    DeadLetterContentView,
    DeadLetterView,
    OutboxView,
    ParkedKeyView,
    RedriveView,
)

OPS: Final = roles("ops", "admin")
_SCOPE: Final = "dead-letters"


def operator_routes(service: str, handlers: Handlers | None = None) -> Routes:
    """The operators' part of a service's route table; without handlers, of its outbox only."""
    routes = Routes(tag="operators")
    _add_outbox(routes, f"/v1/ops/{service}/outbox")
    if handlers is not None:
        _add_dead_letters(routes, f"/v1/ops/{service}/dead-letters", handlers)
    return routes


def _add_outbox(routes: Routes, path: str) -> None:
    @routes.get(path, auth=OPS, summary="What waits to be published")
    async def get_outbox(app: Any) -> OutboxView:
        """How much, since when, and the keys the broker refuses."""
        return await read_outbox(app)


def _add_dead_letters(routes: Routes, path: str, handlers: Handlers) -> None:
    @routes.get(path, auth=OPS, summary="Records that could not be handled, oldest first")
    async def get_dead_letters(query: PageQuery, app: Any) -> Page[DeadLetterView]:
        """Those that wait."""
        return await list_letters(app, query)

    @routes.get(
        path + "/{letter_id}",
        auth=OPS,
        errors=(DeadLetterNotFoundError,),
        summary="A record that could not be handled, with its content",
    )
    async def get_dead_letter(letter_id: int, app: Any) -> DeadLetterContentView:
        """Personal data in it is masked."""
        return await read_letter(app, letter_id)

    @routes.post(
        path + "/{letter_id}/redrive",
        auth=OPS,
        status=200,
        errors=(DeadLetterNotFoundError, DeadLetterClosedError),
        summary="Handle the waiting records of this one's key again",
    )
    async def post_redrive(letter_id: int, principal: Principal, app: Any) -> RedriveView:
        """In order, each in a transaction of its own: a call cut short may be repeated, and repeats no effect."""
        return await redrive_letter(app, handlers, letter_id, principal)


async def read_outbox(app: OperatedApp) -> OutboxView:
    async with app.database.read() as conn:
        waiting = await pending(conn, schema_of(app))
        parked = await parked_keys(conn, schema_of(app))
    return OutboxView(
        waiting=waiting.records, oldest_at=waiting.oldest_at, parked=[ParkedKeyView.of(each) for each in parked]
    )


async def list_letters(app: OperatedApp, query: PageQuery) -> Page[DeadLetterView]:
    after_id = _after_id(app, query.cursor)
    async with app.database.read() as conn:
        letters = await list_dead_letters(conn, schema_of(app), after_id=after_id, limit=query.limit + 1)
    shown = letters[: query.limit]
    more = len(letters) > query.limit
    cursor = app.cursors.encode([shown[-1].id], scope=_SCOPE) if more else None
    return Page[DeadLetterView](items=[DeadLetterView.of(each) for each in shown], next_cursor=cursor)


async def read_letter(app: OperatedApp, letter_id: int) -> DeadLetterContentView:
    """Raises ``DeadLetterNotFoundError``."""
    async with app.database.read() as conn:
        found = await find_dead_letter(conn, schema_of(app), letter_id)
    if found is None:
        raise DeadLetterNotFoundError
    return DeadLetterContentView.with_content(*found)


async def redrive_letter(app: OperatedApp, handlers: Handlers, letter_id: int, principal: Principal) -> RedriveView:
    """Raises ``DeadLetterNotFoundError`` and ``DeadLetterClosedError``."""
    outcome, redriven = "failed", 0
    try:
        report = await _redrive_waiting(app, handlers, letter_id)
        outcome, redriven = "failed" if report.failed else "done", report.redriven
    except DomainError as refusal:
        outcome = refusal.code
        raise
    finally:
        audited(
            "dead_letters.redrive",
            service=service_of(app),
            actor=str(principal.user_id),
            via="http",
            outcome=outcome,
            letter_id=letter_id,
            redriven=redriven,
        )
    return RedriveView.of(report)


async def _redrive_waiting(app: OperatedApp, handlers: Handlers, letter_id: int) -> RedriveReport:
    letter = await read_letter(app, letter_id)
    if letter.status != "waiting":
        raise DeadLetterClosedError(f"it is {letter.status}")
    return await redrive(handlers_of(handlers, app), begin=app.begin, config=app.outbox_config, letter_id=letter_id)


def _after_id(app: OperatedApp, cursor: str | None) -> int:
    if cursor is None:
        return 0
    match app.cursors.decode(cursor, scope=_SCOPE):
        case (int(letter_id),):
            return letter_id
        case _:
            raise CursorInvalidError(pointer="/cursor")
