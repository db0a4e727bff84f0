"""The ports of core's use cases in memory: what is stored is in dicts, what is announced in lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from messaging.core.domain.attachment import Attachment
from messaging.core.domain.cards import Entity, EntityType
from messaging.core.domain.contact import Unreachable
from messaging.core.domain.cursor import Cursor
from messaging.core.domain.dialog import Dialog, DialogKind, DialogNotFoundError, Membership, MemberStatus, NewDialog
from messaging.core.domain.ids import MAIN_WORKSPACE
from messaging.core.domain.invite import InviteRow
from messaging.core.domain.membership import MEMBERS_MAX
from messaging.core.domain.message import Earlier, SendMessage
from messaging.core.domain.permissions import Role
from messaging.core.domain.poll import Poll
from messaging.core.domain.reactions import Reaction, ReactionCounts
from messaging.core.domain.sending import Facts, Target
from messaging.core.domain.stream import NewMessage, Position

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
Place = tuple[UUID, int]


@dataclass
class FakeStream:
    """``posted`` and ``changes`` by dialog are what members are told; messages are stored as they are posted."""

    tx: FakeTx
    dialogs: dict[UUID, Dialog] = field(default_factory=dict)
    posted: list[tuple[UUID, NewMessage, Mapping[str, Any]]] = field(default_factory=list)
    changes: list[tuple[UUID, str, Mapping[str, Any]]] = field(default_factory=list)
    keys_ready: set[UUID | None] = field(default_factory=set)

    async def lock(self, dialog_id: UUID) -> Dialog:
        if dialog_id not in self.dialogs:
            raise DialogNotFoundError
        return self.dialogs[dialog_id]

    async def lock_many(self, dialog_ids: Iterable[UUID]) -> Mapping[UUID, Dialog]:
        return {each: self.dialogs[each] for each in dialog_ids if each in self.dialogs}

    def created(self, dialog: Dialog) -> None:
        self.dialogs[dialog.dialog_id] = dialog

    async def ready(self, senders: Iterable[UUID | None]) -> None:
        self.keys_ready.update(senders)

    def encode(self, content: Mapping[str, Any]) -> bytes:
        return json.dumps(content).encode()

    def post(
        self, dialog: Dialog, message: NewMessage, extras: Mapping[str, Any] | None = None
    ) -> tuple[int, datetime]:
        assert message.sender_id is None or message.sender_id in self.keys_ready
        seq, _, at = dialog.position.allot_message(self.tx.now)
        self.posted.append((dialog.dialog_id, message, extras or {}))
        self.tx.messages.store(
            dialog.dialog_id,
            seq,
            sender_id=message.sender_id,
            type=message.type,
            content=message.content,
            created_at=at,
            thread_seq=message.thread_seq,
            forward=message.forward,
        )
        return seq, at

    def change(
        self,
        dialog: Dialog,
        kind: str,
        *,
        payload: Mapping[str, Any] | None = None,
        message_seq: int | None = None,
        **_: Any,
    ) -> int:
        seq, _at = dialog.position.allot(self.tx.now)
        told = {**(payload or {}), **({} if message_seq is None else {"message_seq": message_seq})}
        self.changes.append((dialog.dialog_id, kind, told))
        return seq

    def told(self, kind: str) -> list[Mapping[str, Any]]:
        """What was told of one kind, in order."""
        return [payload for _, each, payload in self.changes if each == kind]


@dataclass
class FakeMessages:
    rows: dict[Place, dict[str, Any]] = field(default_factory=dict)
    hidden: set[tuple[UUID, UUID, int]] = field(default_factory=set)
    revisions: list[Mapping[str, Any]] = field(default_factory=list)

    def store(self, dialog_id: UUID, seq: int, **values: Any) -> None:
        self.rows[dialog_id, seq] = {
            "dialog_id": dialog_id,
            "seq": seq,
            "type": "text",
            "version": 1,
            "thread_seq": None,
            "forward": None,
            "edited_at": None,
            "deleted_at": None,
            "deleted_by": None,
            "created_at": NOW,
            **values,
        }

    async def messages_at(self, wanted: Iterable[Place]) -> dict[Place, Mapping[str, Any]]:
        return {place: dict(self.rows[place]) for place in wanted if place in self.rows}

    async def message_for(self, viewer_id: UUID, dialog_id: UUID, seq: int, *, from_seq: int) -> Any:
        if seq < from_seq or (viewer_id, dialog_id, seq) in self.hidden:
            return None
        return (await self.messages_at([(dialog_id, seq)])).get((dialog_id, seq))

    async def is_hidden(self, user_id: UUID, dialog_id: UUID, seq: int) -> bool:
        return (user_id, dialog_id, seq) in self.hidden

    async def content(self, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return row["content"]  # type: ignore[no-any-return]

    async def documents(self, rows: Sequence[Mapping[str, Any]], *, viewer_id: UUID | None = None) -> list[Any]:
        return [{**row, "viewer_id": viewer_id} for row in rows]

    async def replace_content(self, row: Mapping[str, Any], sealed: bytes, now: datetime) -> None:
        self.revisions.append(row)
        stored = self.rows[row["dialog_id"], row["seq"]]
        stored |= {"content": json.loads(sealed), "version": row["version"] + 1, "edited_at": now}

    async def empty(self, row: Mapping[str, Any], *, by: UUID, now: datetime) -> None:
        self.rows[row["dialog_id"], row["seq"]] |= {"content": None, "deleted_at": now, "deleted_by": by}

    async def hide(self, user_id: UUID, dialog_id: UUID, seq: int) -> bool:
        new = (user_id, dialog_id, seq) not in self.hidden
        self.hidden.add((user_id, dialog_id, seq))
        return new


@dataclass
class FakeDialogs:
    tx: FakeTx
    members: dict[tuple[UUID, UUID], Membership] = field(default_factory=dict)
    pairs: dict[str, UUID] = field(default_factory=dict)
    topics: dict[tuple[str, UUID], UUID] = field(default_factory=dict)
    changed: dict[UUID, dict[str, object]] = field(default_factory=dict)
    avatars: dict[UUID, UUID] = field(default_factory=dict)

    async def add(self, new: NewDialog, now: datetime) -> Dialog | None:
        made = await self.add_many([new], now)
        return made[0] if made else None

    async def add_many(self, news: Sequence[NewDialog], now: datetime) -> list[Dialog]:
        made = []
        for new in news:
            if new.pair_key in self.pairs or (new.entity_type, new.entity_id) in self.topics:
                continue
            if new.pair_key is not None:
                self.pairs[new.pair_key] = new.dialog_id
            if new.entity_type is not None and new.entity_id is not None:
                self.topics[new.entity_type, new.entity_id] = new.dialog_id
            made.append(
                Dialog(
                    position=Position(new.dialog_id, new.workspace_id, new.kind.value, 0, 0, now),
                    members_max=new.members_max,
                    is_public=new.is_public,
                    entity_type=new.entity_type,
                    entity_id=new.entity_id,
                )
            )
        return made

    async def change(self, dialog_id: UUID, changes: Mapping[str, object]) -> None:
        self.changed.setdefault(dialog_id, {}).update(changes)

    async def of_pair(self, workspace_id: UUID, pair: str) -> UUID | None:
        return self.pairs.get(pair)

    async def avatar_of(self, dialog_id: UUID) -> UUID | None:
        return self.avatars.get(dialog_id)

    async def about(self, workspace_id: UUID, entity_type: str, entity_id: UUID) -> UUID | None:
        return self.topics.get((entity_type, entity_id))

    async def add_members(self, seats: Sequence[tuple[Dialog, UUID, Role]], now: datetime) -> dict[Any, MemberStatus]:
        seated = {}
        for dialog, user_id, role in seats:
            place = (dialog.dialog_id, user_id)
            before = self.members.get(place)
            muted = place in self.tx.members.left_muted
            status = MemberStatus.MUTED if muted else MemberStatus.ACTIVE
            self.members[place] = Membership(
                user_id=user_id,
                role=role,
                status=status,
                joined_seq=dialog.position.last_seq + 1,
                muted_until=before.muted_until if before is not None and muted else None,
            )
            dialog.member_count += 1
            seated[place] = status
        return seated

    async def find_member(self, dialog_id: UUID, user_id: UUID, *, held: bool = False) -> Membership | None:
        return self.members.get((dialog_id, user_id))


@dataclass
class FakeMembers:
    tx: FakeTx
    left_muted: set[tuple[UUID, UUID]] = field(default_factory=set)
    own_settings: list[Mapping[str, object]] = field(default_factory=list)

    def _set(self, dialog_id: UUID, user_id: UUID, **changes: Any) -> None:
        self.tx.dialogs.members[dialog_id, user_id] = replace(self.tx.dialogs.members[dialog_id, user_id], **changes)

    def _present(self, dialog_id: UUID) -> list[Membership]:
        """The longest in comes first."""
        found = [each for (place, _), each in self.tx.dialogs.members.items() if place == dialog_id and each.present]
        return sorted(found, key=lambda member: member.joined_seq)

    def _may_own(self, user_id: UUID) -> bool:
        return user_id not in self.tx.people.bots and user_id not in self.tx.endings.ended

    async def present_user_ids(self, dialog_ids: Sequence[UUID]) -> dict[UUID, set[UUID]]:
        return {dialog_id: {each.user_id for each in self._present(dialog_id)} for dialog_id in dialog_ids}

    async def dialogs_of(self, user_id: UUID, after: UUID, limit: int, *, present: bool) -> list[UUID]:
        found = [
            dialog_id
            for (dialog_id, each), member in self.tx.dialogs.members.items()
            if each == user_id and dialog_id > after and (member.present or not present)
        ]
        return sorted(found)[:limit]

    async def owners_of(self, dialog_id: UUID) -> list[tuple[UUID, bool]]:
        return [
            (each.user_id, self._may_own(each.user_id)) for each in self._present(dialog_id) if each.role is Role.OWNER
        ]

    async def next_owner_of(self, dialog_id: UUID, *, besides: UUID | None = None) -> UUID | None:
        able = [each for each in self._present(dialog_id) if each.user_id != besides and self._may_own(each.user_id)]
        return max(able, key=lambda member: member.role.rank).user_id if able else None

    async def set_owner(self, dialog_id: UUID, user_id: UUID) -> None:
        self._set(dialog_id, user_id, role=Role.OWNER, status=MemberStatus.ACTIVE, muted_until=None)

    async def set_role(self, dialog_id: UUID, user_id: UUID, role: Role) -> None:
        self._set(dialog_id, user_id, role=role)

    async def set_muted(self, dialog_id: UUID, user_id: UUID, *, muted: bool, until: datetime | None) -> None:
        status = MemberStatus.MUTED if muted else MemberStatus.ACTIVE
        self._set(dialog_id, user_id, status=status, muted_until=until)

    async def end_membership(self, dialog: Dialog, user_id: UUID, status: MemberStatus, *, seq: int) -> None:
        place = (dialog.dialog_id, user_id)
        if self.tx.dialogs.members[place].status is MemberStatus.MUTED:
            self.left_muted.add(place)
        self._set(dialog.dialog_id, user_id, status=status, role=Role.MEMBER)
        dialog.member_count -= 1

    async def ban_non_member(self, dialog: Dialog, user_id: UUID, now: datetime, *, seq: int) -> None:
        self.tx.dialogs.members[dialog.dialog_id, user_id] = Membership(
            user_id=user_id, role=Role.MEMBER, status=MemberStatus.BANNED, joined_seq=seq
        )

    async def set_own_settings(self, dialog_id: UUID, user_id: UUID, changes: Mapping[str, object]) -> None:
        self.own_settings.append(changes)

    async def lift_ban(self, dialog_id: UUID, user_id: UUID) -> bool:
        member = self.tx.dialogs.members.get((dialog_id, user_id))
        if member is None or member.status is not MemberStatus.BANNED:
            return False
        self._set(dialog_id, user_id, status=MemberStatus.REMOVED)
        return True


@dataclass
class FakeInvites:
    by_hash: dict[bytes, InviteRow] = field(default_factory=dict)
    requests: dict[tuple[UUID, UUID], str] = field(default_factory=dict)

    async def add(self, row: InviteRow, token_hash: bytes) -> None:
        self.by_hash[token_hash] = row

    async def find(self, token_hash: bytes) -> InviteRow | None:
        return self.by_hash.get(token_hash)

    def _change(self, invite_id: UUID, **changes: Any) -> None:
        for hashed, row in self.by_hash.items():
            if row.invite_id == invite_id:
                self.by_hash[hashed] = replace(row, **changes)

    async def count_use(self, invite_id: UUID) -> None:
        [uses] = [row.uses for row in self.by_hash.values() if row.invite_id == invite_id]
        self._change(invite_id, uses=uses + 1)

    async def maker_of_invite(self, dialog_id: UUID, invite_id: UUID) -> UUID | None:
        found = [row.created_by for row in self.by_hash.values() if row.invite_id == invite_id]
        return found[0] if found else None

    async def revoke(self, dialog_id: UUID, invite_id: UUID, now: datetime) -> None:
        self._change(invite_id, revoked_at=now)

    async def ask_to_join(self, dialog_id: UUID, user_id: UUID, message: str, now: datetime) -> str | None:
        before = self.requests.get((dialog_id, user_id))
        self.requests[dialog_id, user_id] = "pending"
        return before

    async def decide_request(
        self, dialog_id: UUID, user_id: UUID, *, approved: bool, by: UUID, now: datetime
    ) -> str | None:
        before = self.requests.get((dialog_id, user_id))
        if before == "pending":
            self.requests[dialog_id, user_id] = "approved" if approved else "declined"
        return before

    async def grant_requests(self, seats: Sequence[tuple[UUID, UUID]], by: UUID | None, now: datetime) -> None:
        self.requests |= {each: "approved" for each in seats if self.requests.get(each) == "pending"}


@dataclass
class FakeEndings:
    """``scheduled``: by dialog and person, messages that wait. ``acts_ended``: whose, and where."""

    ended: set[UUID] = field(default_factory=set)
    scheduled: dict[tuple[UUID, UUID], list[UUID]] = field(default_factory=dict)
    acts_ended: list[tuple[UUID, UUID]] = field(default_factory=list)
    own_acts_ended: list[UUID] = field(default_factory=list)
    invites_ended: list[UUID] = field(default_factory=list)

    async def ended_among(self, user_ids: Sequence[UUID]) -> frozenset[UUID]:
        return frozenset(self.ended) & frozenset(user_ids)

    async def end_own_acts(self, user_id: UUID) -> None:
        self.own_acts_ended.append(user_id)

    async def end_invites_of(self, user_id: UUID, now: datetime) -> None:
        self.invites_ended.append(user_id)

    async def end_acts_of_member(self, dialog_id: UUID, user_id: UUID, **_: Any) -> list[UUID]:
        self.acts_ended.append((dialog_id, user_id))
        return self.scheduled.pop((dialog_id, user_id), [])


@dataclass
class FakeEntities:
    by_key: dict[tuple[EntityType, UUID], Entity] = field(default_factory=dict)
    cards: list[tuple[EntityType, UUID, UUID, int]] = field(default_factory=list)

    async def find(self, wanted: Iterable[tuple[EntityType, UUID]]) -> dict[tuple[EntityType, UUID], Entity]:
        return {key: self.by_key[key] for key in wanted if key in self.by_key}

    def text_of(self, entity: Entity, field: str) -> str | None:
        return entity.state.get(field)

    def shop_id_of(self, product: Entity) -> UUID | None:
        told = product.state.get("shop_id")
        return None if told is None else UUID(told)

    async def owner_of_shop_of(self, product_id: UUID) -> UUID | None:
        product = self.by_key.get((EntityType.PRODUCT, product_id))
        shop_id = None if product is None else self.shop_id_of(product)
        shop = None if shop_id is None else self.by_key.get((EntityType.SHOP, shop_id))
        return shop.parties[0] if shop is not None and shop.parties else None

    async def tie_cards(self, cards: Sequence[tuple[EntityType, UUID, UUID, int]]) -> None:
        self.cards.extend(cards)


@dataclass
class FakeContacts:
    tx: FakeTx
    unknown: set[UUID] = field(default_factory=set)
    blocks: set[frozenset[UUID]] = field(default_factory=set)
    closed: set[UUID] = field(default_factory=set)

    async def unreachable(self, asker_id: UUID, people: Sequence[UUID], *, respect_privacy: bool) -> Unreachable:
        ended = frozenset(self.tx.endings.ended) & frozenset(people)
        return Unreachable(
            unknown=(frozenset(self.unknown) & frozenset(people)) | ended,
            ended=ended,
            blocked=frozenset(
                each
                for each in people
                if frozenset((each, asker_id)) in self.blocks or (respect_privacy and each in self.closed)
            ),
        )

    async def is_pair_severed(self, dialog_id: UUID, user_id: UUID) -> bool:
        others = [each for place, each in self.tx.dialogs.members if place == dialog_id and each != user_id]
        return any(frozenset((each, user_id)) in self.blocks for each in others)


@dataclass
class FakeSends:
    tx: FakeTx
    earlier: dict[tuple[UUID, UUID, UUID], Earlier] = field(default_factory=dict)
    paced: list[tuple[UUID, UUID]] = field(default_factory=list)

    async def read_facts(self, commands: Sequence[SendMessage], dialogs: Mapping[UUID, Dialog]) -> list[Facts]:
        return [
            Facts(
                member=self.tx.dialogs.members.get((each.dialog_id, each.sender_id)),
                earlier=self.earlier.get((each.dialog_id, each.sender_id, each.client_message_id)),
                blocked=await self.tx.contacts.is_pair_severed(each.dialog_id, each.sender_id),
            )
            for each in commands
        ]

    async def present_targets(self, wanted: set[tuple[UUID, UUID, int]]) -> dict[Any, Target]:
        rows = self.tx.messages.rows
        return {
            key: Target(rows[key[1:]]["thread_seq"] or key[2], True)
            for key in wanted
            if key[1:] in rows and rows[key[1:]]["deleted_at"] is None and key not in self.tx.messages.hidden
        }

    async def present_people(self, wanted: set[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
        return {each for each in wanted if each in self.tx.dialogs.members and self.tx.dialogs.members[each].present}

    async def record_slow_mode(self, sent: Sequence[tuple[UUID, UUID]], now: datetime) -> None:
        self.paced.extend(sent)


@dataclass
class FakeWaitingSends:
    waiting: set[UUID] = field(default_factory=set)
    sent: list[tuple[UUID, int]] = field(default_factory=list)

    async def hold(self, scheduled_ids: Sequence[UUID]) -> frozenset[UUID]:
        return frozenset(self.waiting) & frozenset(scheduled_ids)

    async def mark_sent(self, sent: Sequence[tuple[UUID, int]]) -> None:
        self.sent.extend(sent)


@dataclass
class FakePins:
    pinned: set[Place] = field(default_factory=set)

    async def count(self, dialog_id: UUID) -> int:
        return sum(each == dialog_id for each, _ in self.pinned)

    async def add(self, dialog_id: UUID, seq: int, *, by: UUID, now: datetime) -> bool:
        new = (dialog_id, seq) not in self.pinned
        self.pinned.add((dialog_id, seq))
        return new

    async def remove(self, dialog_id: UUID, seq: int) -> bool:
        there = (dialog_id, seq) in self.pinned
        self.pinned.discard((dialog_id, seq))
        return there


@dataclass
class FakeReactions:
    reactions: set[Reaction] = field(default_factory=set)

    async def add(self, reaction: Reaction, now: datetime) -> bool:
        new = reaction not in self.reactions
        self.reactions.add(reaction)
        return new

    async def remove(self, reaction: Reaction) -> bool:
        there = reaction in self.reactions
        self.reactions.discard(reaction)
        return there

    def _on(self, reaction: Reaction) -> list[Reaction]:
        place = reaction.dialog_id, reaction.seq
        return [each for each in self.reactions if (each.dialog_id, each.seq) == place]

    async def count(self, reaction: Reaction) -> int:
        return sum(each.emoji == reaction.emoji for each in self._on(reaction))

    async def counts_beside(self, reaction: Reaction) -> ReactionCounts:
        others = [each for each in self._on(reaction) if each.emoji != reaction.emoji]
        return ReactionCounts(
            kinds=len({each.emoji for each in others}),
            own=sum(each.user_id == reaction.user_id for each in others),
            known=len(others) < len(self._on(reaction)),
        )


@dataclass
class FakeAccess:
    """``acts``: what was locked, shared and ended, in order."""

    epochs: dict[UUID, int] = field(default_factory=dict)
    acts: list[tuple[str, UUID]] = field(default_factory=list)

    async def lock(self, user_id: UUID) -> None:
        self.acts.append(("lock", user_id))

    async def share(self, user_id: UUID) -> None:
        self.acts.append(("share", user_id))

    async def epoch(self, user_id: UUID) -> int:
        return self.epochs.get(user_id, 0)

    async def set_epoch(self, user_id: UUID, epoch: int) -> None:
        self.epochs[user_id] = epoch

    async def end_bot_access(self, owner_id: UUID) -> None:
        self.acts.append(("end_bot_access", owner_id))


@dataclass
class FakeAttachments:
    by_id: dict[UUID, Attachment] = field(default_factory=dict)
    sendable_by: dict[tuple[UUID, UUID], Attachment] = field(default_factory=dict)
    uses: list[tuple[UUID, UUID, int, int]] = field(default_factory=list)
    untied: list[Place] = field(default_factory=list)

    async def lock(self, attachment_id: UUID) -> Attachment | None:
        return self.by_id.get(attachment_id)

    async def sendable(self, wanted: Iterable[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Attachment]:
        return {each: self.sendable_by[each] for each in wanted if each in self.sendable_by}

    async def tie(self, uses: Sequence[tuple[UUID, UUID, int, int]]) -> None:
        self.uses.extend(uses)

    async def untie(self, dialog_id: UUID, seq: int) -> None:
        self.untied.append((dialog_id, seq))


@dataclass
class FakePeople:
    bots: set[UUID] = field(default_factory=set)
    privacy: dict[UUID, int] = field(default_factory=dict)

    async def bots_among(self, user_ids: Sequence[UUID]) -> frozenset[UUID]:
        return frozenset(self.bots) & frozenset(user_ids)

    async def set_privacy(self, user_id: UUID, version: int, **_: Any) -> bool:
        newer = version > self.privacy.get(user_id, 0)
        if newer:
            self.privacy[user_id] = version
        return newer


@dataclass
class FakeCursors:
    read: dict[tuple[UUID, UUID], int] = field(default_factory=dict)
    marked: dict[tuple[UUID, UUID], bool] = field(default_factory=dict)
    held: list[UUID] = field(default_factory=list)
    untold: list[UUID] = field(default_factory=list)

    async def advance(self, cursors: Sequence[Cursor], now: datetime) -> list[Cursor]:
        moved = [each for each in cursors if each.read_seq > self.read.get((each.dialog_id, each.user_id), 0)]
        self.read |= {(each.dialog_id, each.user_id): each.read_seq for each in moved}
        return moved

    async def hold_cursors_of(self, user_id: UUID) -> None:
        self.held.append(user_id)

    async def untell_reads(self, user_id: UUID, since: datetime) -> None:
        self.untold.append(user_id)

    async def mark_unread(self, dialog_id: UUID, user_id: UUID, *, marked: bool) -> bool:
        changed = self.marked.get((dialog_id, user_id), False) != marked
        self.marked[dialog_id, user_id] = marked
        return changed


@dataclass
class FakeAccounts:
    changes: list[tuple[UUID, str, Mapping[str, Any]]] = field(default_factory=list)

    def change(
        self, user_id: UUID, kind: str, *, dialog_id: UUID | None = None, payload: Mapping[str, Any] | None = None
    ) -> None:
        self.changes.append((user_id, kind, payload or {}))

    def told(self, user_id: UUID) -> list[str]:
        """What their devices were told, in order."""
        return [kind for each, kind, _ in self.changes if each == user_id]


class FakeTx:
    """One transaction of core in memory; ``now`` is moved by hand."""

    def __init__(self) -> None:
        self.now = NOW
        self.stream = FakeStream(self)
        self.accounts = FakeAccounts()
        self.messages = FakeMessages()
        self.dialogs = FakeDialogs(self)
        self.members = FakeMembers(self)
        self.invites = FakeInvites()
        self.endings = FakeEndings()
        self.entities = FakeEntities()
        self.contacts = FakeContacts(self)
        self.sends = FakeSends(self)
        self.waiting_sends = FakeWaitingSends()
        self.pins = FakePins()
        self.reactions = FakeReactions()
        self.access = FakeAccess()
        self.attachments = FakeAttachments()
        self.people = FakePeople()
        self.cursors = FakeCursors()
        self.drafts_of: dict[tuple[UUID, UUID], int] = {}
        self.polls_added: list[Poll] = []
        self.kept_if_held: list[Place] = []
        self.created: list[Dialog] = []
        self.cursors_moved: list[Cursor] = []
        self.visibilities: list[Any] = []
        self.drafts = SimpleNamespace(empty=self._empty_draft)
        self.polls = SimpleNamespace(add=self._add_polls)
        self.holds = SimpleNamespace(keep_if_held=self._keep_if_held)
        self.events = SimpleNamespace(dialog_created=lambda dialog, *_, **__: self.created.append(dialog))
        self.hints = SimpleNamespace(
            cursor_moved=self.cursors_moved.append, visibility_changed=self.visibilities.append
        )
        self.sealer = SimpleNamespace(encrypt=lambda _, clear: clear)

    async def _empty_draft(self, user_id: UUID, dialog_id: UUID, now: datetime) -> int | None:
        return self.drafts_of.pop((user_id, dialog_id), None)

    async def _add_polls(self, polls: Sequence[Poll]) -> None:
        self.polls_added.extend(polls)

    async def _keep_if_held(self, dialog_id: UUID, seq: int, now: datetime) -> None:
        self.kept_if_held.append((dialog_id, seq))

    def dialog(self, kind: DialogKind = DialogKind.GROUP, /, *people: tuple[UUID, Role], **options: Any) -> Dialog:
        """A dialog that is there, with these people in it."""
        dialog = Dialog(
            position=Position(uuid4(), MAIN_WORKSPACE, kind.value, 0, 0, NOW),
            members_max=MEMBERS_MAX[kind],
            **options,
        )
        self.stream.created(dialog)
        for number, (user_id, role) in enumerate(people, 1):
            self.dialogs.members[dialog.dialog_id, user_id] = Membership(
                user_id=user_id, role=role, status=MemberStatus.ACTIVE, joined_seq=number
            )
        dialog.member_count = len(people)
        return dialog

    def message(self, dialog: Dialog, sender_id: UUID, text: str = "hello", **values: Any) -> int:
        """A message that is there; its seq."""
        seq, _, _ = dialog.position.allot_message(NOW)
        content = {"type": values.get("type", "text"), "text": text}
        self.messages.store(dialog.dialog_id, seq, sender_id=sender_id, content=content, **values)
        return seq

    def member(self, dialog: Dialog, user_id: UUID) -> Membership:
        return self.dialogs.members[dialog.dialog_id, user_id]

    def change_member(self, dialog: Dialog, user_id: UUID, **changes: Any) -> None:
        self.dialogs.members[dialog.dialog_id, user_id] = replace(self.member(dialog, user_id), **changes)

    def later(self, by: timedelta) -> None:
        self.now += by

    def product(self, seller_id: UUID) -> UUID:
        """A product on sale, of a shop of this person."""
        product_id, shop_id = uuid4(), uuid4()
        self.entities.by_key |= {
            (EntityType.SHOP, shop_id): Entity(
                type=EntityType.SHOP, id=shop_id, version=1, state={"name": "Shop"}, parties=(seller_id,)
            ),
            (EntityType.PRODUCT, product_id): Entity(
                type=EntityType.PRODUCT,
                id=product_id,
                version=1,
                state={"title": "Lamp", "status": "active", "shop_id": str(shop_id)},
            ),
        }
        return product_id
