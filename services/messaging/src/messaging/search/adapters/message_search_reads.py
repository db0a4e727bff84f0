"""Find messages, newest first: those with the words first, then those with something like them.

Stretches are asked from the newest on, a few at a time. What they offer is decrypted and looked at newest first, and
only what nothing unasked can be newer than, so that a page costs about as many looks as it has answers. What one
request may look at is bounded (``EXAMINED_MAX``); a page that ends early says where to go on. Invariant: an answer is a
message the caller may read now, as it reads now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection
from messaging.core.adapters.message_reads import MessageRows, content_of
from messaging.core.domain.stream import Watch
from messaging.search.adapters.search_store import SearchRows
from messaging.search.domain.blind import STRETCH, BlindIndex
from messaging.search.domain.index import Found, Probe
from messaging.search.domain.question import FieldText, Highlight, Question, Tier
from messaging.search.domain.terms import searchable_fields
from sealing import PersonKeys

EXAMINED_MAX: Final = 400
_ROUND_FIRST: Final = 24
_ROUND_MAX: Final = 384
_CANDIDATES_EACH: Final = 40
_LOOKED_AT_MIN: Final = 10
_LOOKED_AT_MAX: Final = 100
Place = tuple[datetime, UUID, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSearch:
    """``watches``: the dialogs the caller may read. ``after``: where the page before ended."""

    question: Question
    viewer_id: UUID
    watches: Sequence[Watch]
    limit: int
    since: datetime | None = None
    until: datetime | None = None
    tier: Tier = Tier.EXACT
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """An answer. ``row``: the message as the database has it."""

    row: Mapping[str, Any]
    tier: Tier
    highlights: Sequence[Highlight]

    @property
    def place(self) -> Place:
        return self.row["created_at"], self.row["dialog_id"], self.row["seq"]


@dataclass(frozen=True, slots=True)
class Hits:
    """``following``: the tier and place to go on from; None when there is no more."""

    items: Sequence[Hit]
    following: tuple[Tier, Place | None] | None


class MessageSearchReads:
    def __init__(self, conn: Connection, keys: PersonKeys, blind: BlindIndex) -> None:
        self._conn = conn
        self._keys = keys
        self._blind = blind

    async def page(self, asked: MessageSearch) -> Hits:
        """A page of answers; empty when the question has nothing to look for."""
        if asked.question.empty or not asked.watches:
            return Hits([], None)
        search = _Search(asked, self._conn, self._keys, self._blind)
        items = await search.run(asked.tier, asked.after, asked.limit)
        if search.resume is not None or asked.tier is Tier.SIMILAR or not asked.question.parts:
            following = None if search.resume is None else (asked.tier, search.resume)
            return Hits(items, following)
        if len(items) == asked.limit:
            return Hits(items, (Tier.SIMILAR, None))
        items += await search.run(Tier.SIMILAR, None, asked.limit - len(items))
        return Hits(items, None if search.resume is None else (Tier.SIMILAR, search.resume))


class _Search:
    """The answers of one request. ``resume``: where those after the last run are."""

    def __init__(self, asked: MessageSearch, conn: Connection, keys: PersonKeys, blind: BlindIndex) -> None:
        self._asked = asked
        self._question = asked.question
        self._conn = conn
        self._keys = keys
        self._blind = blind
        self._examined = 0
        self.resume: Place | None = None

    async def run(self, tier: Tier, after: Place | None, limit: int) -> list[Hit]:
        """The next answers of a tier; ``resume`` says where the following ones are, None when there are none."""
        self.resume = None
        waiting = await self._probes(tier, after)
        offered: list[Found] = []
        hits: list[Hit] = []
        size, look = _ROUND_FIRST, max(limit, _LOOKED_AT_MIN)
        while offered or waiting:
            sure = offered if not waiting else [each for each in offered if each.created_at > waiting[0].last_at]
            if sure:
                chosen = sure[:look]
                offered = offered[len(chosen) :]
                look = min(look * 2, _LOOKED_AT_MAX)
                hits += await self._true(tier, chosen)
                if len(hits) > limit or (len(hits) == limit and (offered or waiting)):
                    self.resume = hits[limit - 1].place
                    return hits[:limit]
                if self._examined >= EXAMINED_MAX and (offered or waiting):
                    self.resume = _place(chosen[-1])
                    return hits
            else:
                # Only what may be newer than the next to be looked at: older stretches have their turn, or need none.
                enough = offered[min(look, len(offered)) - 1].created_at if offered else _LONG_AGO
                asked = [each for each in waiting[:size] if each.last_at >= enough]
                fresh, unfinished = await self._ask(asked, after)
                offered = sorted([*offered, *fresh], key=_place, reverse=True)
                waiting = sorted([*waiting[len(asked) :], *unfinished], key=lambda probe: probe.last_at, reverse=True)
                size = min(size * 2, _ROUND_MAX)
        return hits

    async def _probes(self, tier: Tier, after: Place | None) -> list[Probe]:
        asked = self._asked
        until = min(each for each in (asked.until, after[0] if after else None, _FAR) if each is not None)
        watches = {each.dialog_id: each for each in asked.watches}
        condition = self._question.condition(tier, self._blind)
        probes = []
        for filled in await SearchRows(self._conn).stretches_of(list(watches), asked.since, until):
            watch = watches[filled.dialog_id]
            probes.append(
                Probe(
                    dialog_id=watch.dialog_id,
                    first_at=max(filled.first_at, asked.since or filled.first_at),
                    last_at=min(filled.last_at, until),
                    from_seq=watch.from_seq,
                    below_seq=(filled.stretch + 1) * STRETCH,
                    condition=condition.at(self._blind.of(watch.dialog_id, filled.stretch)),
                )
            )
        return [each for each in probes if each.from_seq < each.below_seq]

    async def _ask(self, probes: Sequence[Probe], after: Place | None) -> tuple[list[Found], list[Probe]]:
        """What the index offers there, and the probes that have more below."""
        found = await SearchRows(self._conn).candidates_in(probes, _CANDIDATES_EACH)
        unfinished = [
            replace(probe, last_at=each[-1].created_at, below_seq=each[-1].seq)
            for probe, each in zip(probes, found, strict=True)
            if len(each) == _CANDIDATES_EACH
        ]
        return [one for each in found for one in each if after is None or _place(one) < after], unfinished

    async def _true(self, tier: Tier, offered: Sequence[Found]) -> list[Hit]:
        """Those that do answer, by their text as it is now, in the order given."""
        self._examined += len(offered)
        wanted = [(each.dialog_id, each.seq) for each in offered]
        rows = await MessageRows(self._conn).messages_at(wanted)
        hidden = await SearchRows(self._conn).hidden_among(self._asked.viewer_id, wanted)
        await self._keys.load(self._conn, {row["sender_id"] for row in rows.values()})
        hits = []
        for place in wanted:
            highlights = None if place in hidden or place not in rows else self._highlights(tier, rows[place])
            if highlights is not None:
                hits.append(Hit(rows[place], tier, highlights))
        return hits

    def _highlights(self, tier: Tier, row: Mapping[str, Any]) -> list[Highlight] | None:
        question = self._question
        if question.sender_id not in {None, row["sender_id"]} or question.kind not in {None, row["type"]}:
            return None
        content = content_of(self._keys, row)
        if content is None:
            return None
        fields = [FieldText.of(name, text) for name, text in searchable_fields(content)] if question.parts else []
        if tier is Tier.SIMILAR and question.match(Tier.EXACT, fields) is not None:
            return None
        return question.match(tier, fields)


def _place(found: Found) -> Place:
    return found.created_at, found.dialog_id, found.seq


_FAR: Final = datetime(9999, 1, 1, tzinfo=UTC)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
