"""``/v1/ops/<service>/…``: what waits to be published, what could not be handled, and another try at it.

For the roles ops and admin. Discarding is left to the command line: it gives up an effect. What is done is on record,
and can be read here too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from chassis.http import Keyset, Page, PageQuery, Routes, roles
from chassis.tokens import Principal
from eventing.dead_letters import find_dead_letter, list_dead_letters
from eventing.parking import parked_keys
from eventing.pending import pending
from eventing.redrive import RedriveReport, redrive
from kernel.errors import DomainError
from operations.act_reads import list_acts
from operations.acts import BEGUN, DONE, FAILED, Act, by_person, record_alone, record_refusal
from operations.app import Handlers, OperatedApp, handlers_of, schema_of, service_of
from operations.letters import DeadLetterClosedError, DeadLetterNotFoundError
from operations.views import (
    ActView,
    DeadLetterContentView,
    DeadLetterView,
    OutboxView,
    ParkedKeyView,
    RedriveView,
    WhyBody,
)

OPS: Final = roles("ops", "admin")
_LETTERS: Final = Keyset("dead-letters", (int,))
_ACTS: Final = Keyset("acts", (int,))


def operator_routes(service: str, handlers: Handlers | None = None) -> Routes:
    """The operators' part of a service's route table; without handlers, of its outbox only."""
    routes = Routes(tag="operators", auth=OPS)
    _add_acts(routes, f"/v1/ops/{service}/acts")
    _add_outbox(routes, f"/v1/ops/{service}/outbox")
    if handlers is not None:
        _add_dead_letters(routes, f"/v1/ops/{service}/dead-letters", handlers)
    return routes


def _add_acts(routes: Routes, path: str) -> None:
    @routes.get(path, summary="What operators did, newest first")
    async def get_acts(query: PageQuery, app: Any) -> Page[ActView]:
        """Of the last thirty days, refused acts too; the topic ``private.<service>.acts.v1`` keeps a year."""
        return await read_acts(app, query)


def _add_outbox(routes: Routes, path: str) -> None:
    @routes.get(path, summary="What waits to be published")
    async def get_outbox(app: Any) -> OutboxView:
        """How much, since when, and the keys the broker refuses."""
        return await read_outbox(app)


def _add_dead_letters(routes: Routes, path: str, handlers: Handlers) -> None:
    @routes.get(path, summary="Records that could not be handled, oldest first")
    async def get_dead_letters(query: PageQuery, app: Any) -> Page[DeadLetterView]:
        """Those that wait."""
        return await list_letters(app, query)

    @routes.get(
        path + "/{letter_id}",
        errors=(DeadLetterNotFoundError,),
        summary="A record that could not be handled, with its content",
    )
    async def get_dead_letter(letter_id: int, app: Any) -> DeadLetterContentView:
        """Personal data in it is masked."""
        return await read_letter(app, letter_id)

    @routes.post(
        path + "/{letter_id}/redrive",
        errors=(DeadLetterNotFoundError, DeadLetterClosedError),
        summary="Handle the waiting records of this one's key again",
    )
    async def post_redrive(letter_id: int, principal: Principal, app: Any, body: WhyBody | None = None) -> RedriveView:
        """In order, each in a transaction of its own: a call cut short may be repeated, and repeats no effect."""
        return await redrive_letter(app, handlers, letter_id, principal, body.reason if body else "")


async def read_acts(app: OperatedApp, query: PageQuery) -> Page[ActView]:
    (before_id,) = _ACTS.position(app.cursors, query.cursor) or (None,)
    async with app.database.read() as conn:
        acts = await list_acts(conn, schema_of(app), service_of(app), before_id=before_id, limit=query.limit + 1)
    return _ACTS.page(app.cursors, acts, query.limit, view=ActView.of, position=lambda act: (act.id,))


async def read_outbox(app: OperatedApp) -> OutboxView:
    async with app.database.read() as conn:
        waiting = await pending(conn, schema_of(app))
        parked = await parked_keys(conn, schema_of(app))
    return OutboxView(
        waiting=waiting.records, oldest_at=waiting.oldest_at, parked=[ParkedKeyView.of(each) for each in parked]
    )


async def list_letters(app: OperatedApp, query: PageQuery) -> Page[DeadLetterView]:
    (after_id,) = _LETTERS.position(app.cursors, query.cursor) or (0,)
    async with app.database.read() as conn:
        letters = await list_dead_letters(conn, schema_of(app), after_id=after_id, limit=query.limit + 1)
    return _LETTERS.page(
        app.cursors, letters, query.limit, view=DeadLetterView.of, position=lambda letter: (letter.id,)
    )


async def read_letter(app: OperatedApp, letter_id: int) -> DeadLetterContentView:
    """Raises ``DeadLetterNotFoundError``."""
    async with app.database.read() as conn:
        found = await find_dead_letter(conn, schema_of(app), letter_id)
    if found is None:
        raise DeadLetterNotFoundError
    return DeadLetterContentView.with_content(*found)


async def redrive_letter(
    app: OperatedApp, handlers: Handlers, letter_id: int, principal: Principal, reason: str = ""
) -> RedriveView:
    """Raises ``DeadLetterNotFoundError`` and ``DeadLetterClosedError``."""
    act = by_person("dead_letters.redrive", service_of(app), principal, reason=reason, letter_id=letter_id)
    try:
        letter = await read_letter(app, letter_id)
        if letter.status != "waiting":
            raise DeadLetterClosedError(f"it is {letter.status}")
    except DomainError as refusal:
        await record_refusal(act, refusal, app)
        raise
    act = replace(act, before={"waiting_of_key": letter.waiting_of_key, "key": letter.key, "topic": letter.topic})
    return RedriveView.of(await redrive_on_record(app, handlers, act, letter_id=letter_id))


async def redrive_on_record(
    app: OperatedApp, handlers: Handlers, act: Act, *, letter_id: int | None = None, topic: str | None = None
) -> RedriveReport:
    """Each letter is a transaction of its own, so the act is on record before the first, and with its end."""
    await record_alone(act.ended(BEGUN), app)
    try:
        table = handlers_of(handlers, app)
        report = await redrive(table, begin=app.begin, config=app.outbox_config, topic=topic, letter_id=letter_id)
    except Exception as error:
        await record_refusal(act, error, app)
        raise
    ended = act.ended(FAILED if report.failed else DONE, redriven=report.redriven, failed=len(report.failed))
    await record_alone(ended, app)
    return report
