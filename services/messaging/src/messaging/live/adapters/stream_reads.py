"""The two kinds of stream that chat has on the socket: of a dialog, and of a person's account."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.postgres import Database
from messaging.core.adapters import document_reads
from messaging.core.adapters.change_reads import UNREADABLE
from messaging.core.adapters.stream_reads import StreamReads, StreamRows
from messaging.core.domain.stream import AccountEvent, StreamEvent, TooOldError
from messaging.realtime.domain.websocket import text_frame
from messaging.realtime.socket.frames import server_frame
from messaging.realtime.socket.streams import Item, PositionTooOldError, StreamKind
from sealing import PersonKeys

_DECIDE_WHO_SEES = (b'"is_public":', b'"history_from":')
_POSITIONS = "SELECT user_id, last_account_seq FROM account WHERE user_id = ANY($1)"


def item_of(event: StreamEvent) -> Item:
    """Encoded once, for all watchers."""
    return Item(
        event.seq,
        text_frame(event.frame),
        event.type,
        event.subject_id,
        event.ended,
        event.message_seq or 0,
        event.hidden_from,
    )


def account_item_of(event: AccountEvent) -> Item:
    return Item(event.account_seq, text_frame(event.frame), event.type)


def decides_who_sees(item: Item) -> bool:
    """Who is no member watches a channel no longer that is not open; who came late sees earlier messages, or not.

    Of an event that cannot be read nobody knows.
    """
    return item.type == UNREADABLE or (
        item.type == "dialog.changed" and any(name in item.data for name in _DECIDE_WHO_SEES)
    )


def dialog_too_old(dialog_id: UUID, oldest_seq: int, last_seq: int) -> bytes:
    return server_frame("too_old", dialog_id=dialog_id, oldest_seq=oldest_seq, last_seq=last_seq)


def account_too_old(_: UUID, oldest_seq: int, last_seq: int) -> bytes:
    return server_frame("too_old", oldest_account_seq=oldest_seq, account_seq=last_seq)


class ChatStreams:
    """Each call takes a connection of the pool for as long as it lasts."""

    def __init__(self, database: Database, keys: PersonKeys) -> None:
        self._database = database
        self._keys = keys
        self.dialogs = StreamKind(
            channel="messaging:dialog:",
            read=self._read_dialog,
            positions=self._dialog_positions,
            too_old=dialog_too_old,
            withheld=document_reads.withheld,
            retracting=frozenset({"message.deleted", "message.edited"}),
            decides=decides_who_sees,
        )
        self.accounts = StreamKind(
            channel="messaging:account:",
            read=self._read_account,
            positions=self._account_positions,
            too_old=account_too_old,
            withheld=document_reads.withheld,
        )

    async def _read_dialog(self, dialog_id: UUID, after_seq: int, limit: int) -> Sequence[Item]:
        async with self._database.read() as conn:
            try:
                events = await StreamReads(conn, self._keys).events_after(dialog_id, after_seq, limit)
            except TooOldError as error:
                raise PositionTooOldError(int(str(error.context["oldest_seq"]))) from None
        return [item_of(each) for each in events]

    async def _read_account(self, user_id: UUID, after_seq: int, limit: int) -> Sequence[Item]:
        async with self._database.read() as conn:
            try:
                events = await StreamRows(conn).account_events_after(user_id, after_seq, limit)
            except TooOldError as error:
                raise PositionTooOldError(int(str(error.context["oldest_account_seq"]))) from None
        return [account_item_of(each) for each in events]

    async def _dialog_positions(self, dialog_ids: Sequence[UUID]) -> dict[UUID, int]:
        async with self._database.read() as conn:
            return await StreamRows(conn).last_seqs(dialog_ids)

    async def _account_positions(self, user_ids: Sequence[UUID]) -> dict[UUID, int]:
        async with self._database.read() as conn:
            rows = await conn.fetch(_POSITIONS, user_ids)
        return {row["user_id"]: row["last_account_seq"] for row in rows}
