"""RT-1 and RT-2: whatever comes in which order from where, each watcher is given what follows, each once, in order."""

import uuid
from dataclasses import dataclass, field
from typing import NoReturn

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from messaging.core.adapters import document_reads
from messaging.realtime.domain.websocket import payloads_of, text_frame
from messaging.realtime.socket.feed import HELD_MAX, Feed
from messaging.realtime.socket.streams import Item, StreamKind

KEY = uuid.uuid4()


@dataclass(eq=False)
class Reader:
    """A watcher that remembers."""

    user_id: uuid.UUID = field(default_factory=uuid.uuid4)
    got: list[int] = field(default_factory=list)
    room: bool = True
    is_open: bool = True
    feeds: set[Feed] = field(default_factory=set)
    is_out: bool = False
    is_live: bool = False
    writes: int = 0

    def write(self, data: bytes) -> None:
        self.writes += 1
        self.got.extend(int(each) for each in payloads_of(data))

    def offer(self, data: bytes) -> None:
        self.write(data)

    def has_room(self) -> bool:
        return self.room

    def caught_up(self, feed: Feed) -> None:
        self.is_live = True

    def dropped(self, feed: Feed) -> None:
        self.is_out = True


def too_old(_: uuid.UUID, oldest_seq: int, last_seq: int) -> bytes:
    """Said as a number below zero, among the seqs that a reader got."""
    return text_frame(str(-1000 * oldest_seq - last_seq).encode())


async def read(*_: object) -> NoReturn:
    raise AssertionError("a feed asks for what is missing, and reads nothing")


KIND = StreamKind(
    channel="test:",
    read=read,
    positions=read,
    too_old=too_old,
    withheld=document_reads.withheld,
    retracting=frozenset({"message.deleted", "message.edited"}),
    decides=lambda item: item.type == "rule",
)


def item(seq: int, subject: uuid.UUID | None = None, *, ended: bool = False) -> Item:
    return Item(seq, text_frame(str(seq).encode()), "x", subject, ended)


def feed_at(last: int) -> Feed:
    return Feed(KEY, last, KIND, lambda _: None)


class Streams(RuleBasedStateMachine):
    """A dialog's table, and one node's feed of it: hints are lost, doubled and late; reads are pages of what is there."""

    @initialize(length=st.integers(0, 5))
    def begin(self, length: int) -> None:
        self.rows: list[Item] = []
        self.people = [uuid.uuid4() for _ in range(3)]
        self.present = dict.fromkeys(self.people, True)
        for _ in range(length):
            self.commit(None, hinted=False)
        self.feed = feed_at(len(self.rows))
        self.readers: list[tuple[Reader, int, int]] = []
        self.late: list[Item] = []

    def last(self) -> int:
        return len(self.rows)

    @rule(subject=st.sampled_from([None, None, None, 0, 1, 2]), hinted=st.booleans(), delayed=st.booleans())
    def commit(self, subject: int | None, *, hinted: bool, delayed: bool = False) -> None:
        """Something is stored; the hint comes now, later, or never."""
        who = None if subject is None else self.people[subject]
        if who is not None:
            self.present[who] = not self.present[who]
        row = item(self.last() + 1, who, ended=who is not None and not self.present[who])
        self.rows.append(row)
        if hinted and delayed:
            self.late.append(row)
        elif hinted:
            self.feed.offer(row)

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def a_late_hint_comes(self, data) -> None:
        self.feed.offer(self.late.pop(data.draw(st.integers(0, len(self.late) - 1))))

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def hints_of_one_commit_come(self, data) -> None:
        """Those from somewhere on that follow one another."""
        start = data.draw(st.integers(0, len(self.late) - 1))
        run = sorted({row.seq: row for row in self.late[start:]}.values(), key=lambda row: row.seq)
        self.feed.offer_run([row for row in run if self.feed.wants(row.seq)])
        del self.late[start:]

    @rule(subjects=st.lists(st.sampled_from([None, None, None, 0, 1, 2]), min_size=2, max_size=6))
    def many_commit_at_once(self, subjects: list[int | None]) -> None:
        before = self.last()
        for subject in subjects:
            self.commit(subject, hinted=False)
        self.feed.offer_run(self.rows[before:])

    @precondition(lambda self: self.rows)
    @rule(data=st.data())
    def a_hint_comes_twice(self, data) -> None:
        self.feed.offer(self.rows[data.draw(st.integers(0, len(self.rows) - 1))])

    @rule()
    def the_poll_looks(self) -> None:
        self.feed.heard_of(self.last())

    @rule(size=st.integers(1, 7))
    def a_read_answers(self, size: int) -> None:
        after = self.feed.next_read()
        if after is not None:
            self.feed.fill(self.rows[after : after + size])

    @rule(who=st.integers(0, 2), back=st.integers(0, 8), stale=st.integers(0, 3))
    def somebody_joins(self, who: int, back: int, stale: int) -> None:
        """Their membership was looked up a moment ago, when the dialog was shorter."""
        as_of = max(0, self.last() - stale)
        if self.present_at(self.people[who], as_of):
            reader = Reader(self.people[who])
            position = max(0, as_of - back)
            self.readers.append((reader, position, as_of))
            self.feed.join(reader, position, as_of)

    @precondition(lambda self: self.readers)
    @rule(data=st.data(), room=st.booleans())
    def room_changes(self, data, *, room: bool) -> None:
        self.readers[data.draw(st.integers(0, len(self.readers) - 1))][0].room = room

    @precondition(lambda self: self.readers)
    @rule(data=st.data())
    def somebody_leaves(self, data) -> None:
        reader, _, _ = self.readers.pop(data.draw(st.integers(0, len(self.readers) - 1)))
        self.feed.leave(reader)
        reader.got.clear()

    def present_at(self, user_id: uuid.UUID, seq: int) -> bool:
        status = True
        for row in self.rows[:seq]:
            if row.subject_id == user_id:
                status = not row.ended
        return status

    def end_of(self, reader: Reader, as_of: int) -> int:
        """The seq after which this person may see nothing."""
        ends = [row.seq for row in self.rows[as_of:] if row.ended and row.subject_id == reader.user_id]
        return min(ends, default=self.last())

    @invariant()
    def each_once_in_order_and_no_further(self) -> None:
        for reader, position, as_of in getattr(self, "readers", ()):
            assert reader.got == list(range(position + 1, position + 1 + len(reader.got)))
            assert not reader.got or reader.got[-1] <= self.end_of(reader, as_of)

    def teardown(self) -> None:
        """With room and reads for all, everybody has everything that is theirs."""
        if not hasattr(self, "feed"):
            return
        for reader, _, _ in self.readers:
            reader.room = True
        self.feed.heard_of(self.last())
        for _ in range(200):
            after = self.feed.next_read()
            if after is None:
                break
            self.feed.fill(self.rows[after : after + 5])
        for reader, position, as_of in self.readers:
            end = self.end_of(reader, as_of)
            assert reader.got == list(range(position + 1, end + 1)), (reader, position, as_of, end)
            assert reader.is_out == (end < self.last() or self.ended_at(end, reader, as_of))

    def ended_at(self, seq: int, reader: Reader, as_of: int) -> bool:
        row = self.rows[seq - 1] if seq else None
        return row is not None and row.seq > as_of and row.ended and row.subject_id == reader.user_id


TestStreams = Streams.TestCase
TestStreams.settings = settings(max_examples=150, stateful_step_count=40)


@given(st.permutations(range(1, 9)))
def test_any_order_becomes_the_order(order):
    feed, reader = feed_at(0), Reader()
    feed.join(reader, 0, 0)
    for seq in order:
        feed.offer(item(seq))
        feed.offer(item(seq))
    assert reader.got == list(range(1, 9))


def test_what_was_committed_together_is_one_write():
    feed, reader = feed_at(0), Reader()
    feed.join(reader, 0, 0)
    feed.offer_run([item(1), item(2), item(3)])
    assert (reader.got, reader.writes, feed.last) == ([1, 2, 3], 1, 3)


def test_a_removal_within_a_commit_ends_it_for_the_removed():
    feed, gone, stays = feed_at(0), Reader(), Reader()
    for reader in (gone, stays):
        feed.join(reader, 0, 0)
    feed.offer_run([item(1), item(2, gone.user_id, ended=True), item(3)])
    assert (gone.got, gone.is_out, stays.got) == ([1, 2], True, [1, 2, 3])


def test_nothing_is_given_past_a_hole_until_it_is_filled():
    feed, reader = feed_at(0), Reader()
    feed.join(reader, 0, 0)
    feed.offer(item(1))
    feed.offer(item(3))
    assert (reader.got, feed.next_read()) == ([1], 1)
    feed.fill([item(2), item(3)])
    assert (reader.got, feed.next_read()) == ([1, 2, 3], None)


def test_whoever_was_removed_gets_the_removal_and_nothing_after_it():
    feed, gone, stays = feed_at(0), Reader(), Reader()
    for reader in (gone, stays):
        feed.join(reader, 0, 0)
    feed.offer(item(3))
    feed.offer(item(2, gone.user_id, ended=True))
    feed.offer(item(1))
    assert (gone.got, gone.is_out) == ([1, 2], True)
    assert stays.got == [1, 2, 3]


def test_an_old_removal_is_not_about_somebody_who_came_back():
    feed, back = feed_at(6), Reader()
    feed.join(back, 2, 6)
    feed.fill([item(3), item(4, back.user_id, ended=True), item(5, back.user_id), item(6)])
    feed.offer(item(7))
    assert (back.got, back.is_out) == ([3, 4, 5, 6, 7], False)


def test_one_who_saw_more_than_this_node_is_given_only_what_is_new():
    feed, first, ahead = feed_at(3), Reader(), Reader()
    feed.join(first, 3, 3)
    feed.join(ahead, 6, 6)
    feed.fill([item(4), item(5), item(6), item(7)])
    assert first.got == [4, 5, 6, 7]
    assert ahead.got == [7]


def test_a_replay_stops_when_there_is_no_room_and_goes_on_later():
    feed, reader = feed_at(10), Reader(room=False)
    feed.join(reader, 0, 10)
    assert feed.next_read() is None
    feed.offer(item(11))
    assert reader.got == []
    reader.room = True
    assert feed.next_read() == 0
    feed.fill([item(seq) for seq in range(1, 11)])
    assert (reader.got, reader.is_live) == (list(range(1, 12)), True)


def test_what_is_not_kept_is_said_and_the_rest_goes_on():
    feed, reader = feed_at(50), Reader()
    feed.join(reader, 3, 50)
    feed.too_old(40)
    feed.offer(item(51))
    assert reader.got == [-40_050, 51]


@pytest.mark.parametrize("count", [HELD_MAX * 2])
def test_what_waits_for_a_hole_is_bounded(count):
    feed, reader = feed_at(0), Reader()
    feed.join(reader, 0, 0)
    for seq in range(2, count):
        feed.offer(item(seq))
    assert len(feed._held) == HELD_MAX
    while (after := feed.next_read()) is not None:
        feed.fill([item(seq) for seq in range(after + 1, min(after + 201, count))])
    assert reader.got == list(range(1, count))


@dataclass(eq=False)
class Seer(Reader):
    """A watcher that remembers what it was given, not only where."""

    seen: list[dict] = field(default_factory=list)

    def write(self, data: bytes) -> None:
        self.writes += 1
        self.seen.extend(orjson.loads(each) for each in payloads_of(data))


def about(seq: int, message_seq: int, *hidden_from: uuid.UUID) -> Item:
    frame = {"type": "message.edited", "dialog_id": str(KEY), "seq": seq, "at": "now", "message_seq": message_seq}
    return Item(
        seq,
        text_frame(orjson.dumps(frame)),
        "message.edited",
        about_seq=message_seq,
        hidden_from=frozenset(hidden_from),
    )


def bare(seq: int) -> dict:
    return {"type": "event.withheld", "dialog_id": str(KEY), "seq": seq, "at": "now"}


WAYS = {
    "one by one": lambda feed, items: [feed.offer(each) for each in items],
    "as one commit": Feed.offer_run,
    "read": Feed.fill,
    "late": lambda feed, items: [feed.offer(each) for each in reversed(items)],
}


@pytest.mark.parametrize("way", WAYS)
def test_of_a_message_from_before_their_time_a_watcher_is_given_the_place_alone(way):
    feed = feed_at(10)
    first, newcomer, later = Seer(), Seer(), Seer()
    feed.join(first, 10, 10)
    feed.join(newcomer, 10, 10, 8)
    items = [about(11, 7), about(12, 8), about(13, 0)]
    WAYS[way](feed, items)
    whole = [orjson.loads(next(payloads_of(each.data))) for each in items]
    assert first.seen == whole
    assert newcomer.seen == [bare(11), *whole[1:]]
    feed.join(later, 10, 13, 9)
    feed.fill(items)
    assert later.seen == [bare(11), bare(12), whole[2]]


@pytest.mark.parametrize("way", WAYS)
def test_of_a_message_they_deleted_for_themselves_a_watcher_is_given_the_place_alone(way):
    feed = feed_at(10)
    first, hider, later = Seer(), Seer(), Seer()
    later.user_id = hider.user_id
    for each in (first, hider):
        feed.join(each, 10, 10)
    items = [about(11, 7), about(12, 8, hider.user_id, uuid.uuid4()), about(13, 0)]
    WAYS[way](feed, items)
    whole = [orjson.loads(next(payloads_of(each.data))) for each in items]
    assert first.seen == whole
    assert hider.seen == [whole[0], bare(12), whole[2]]
    feed.join(later, 10, 13)
    feed.fill(items)
    assert later.seen == hider.seen


def test_what_everybody_may_see_is_one_rendering_in_one_write():
    feed = feed_at(10)
    readers = [Seer() for _ in range(3)]
    for reader in readers:
        feed.join(reader, 10, 10, 8)
    feed.offer_run([about(11, 8), about(12, 0)])
    assert [each.writes for each in readers] == [1, 1, 1]
    for reader in readers:
        feed.leave(reader)
    feed.join(reader, 12, 12)
    feed.offer_run([about(13, 3), about(14, 3)])
    assert reader.writes == 2


def doubting(last: int) -> tuple[Feed, list[tuple[Reader, int]]]:
    doubted: list[tuple[Reader, int]] = []
    return Feed(KEY, last, KIND, lambda _: None, on_doubt=lambda _, who, where: doubted.append((who, where))), doubted


def rule_change(seq: int) -> Item:
    return Item(seq, text_frame(str(seq).encode()), "rule")


@pytest.mark.parametrize("way", WAYS)
def test_after_a_change_of_who_sees_it_nobody_is_given_more_who_was_looked_up_before(way):
    feed, doubted = doubting(10)
    old, new = Reader(), Reader()
    feed.join(old, 10, 10)
    feed.join(new, 10, 12)
    WAYS[way](feed, [item(11), rule_change(12), item(13), item(14)])
    assert (old.got, doubted) == ([11, 12], [(old, 12)])
    assert new.got == [11, 12, 13, 14]
    assert not feed.joining(old)


def test_who_is_still_brought_there_is_given_no_more_either():
    feed, doubted = doubting(20)
    live, slow, fresh = Reader(), Reader(), Reader()
    feed.join(live, 20, 20)
    feed.join(slow, 0, 20)
    for each in (rule_change(21), item(22)):
        feed.offer(each)
    feed.join(fresh, 0, 22)
    assert (live.got, doubted) == ([21], [(live, 21)])
    feed.fill([*(item(seq) for seq in range(1, 21)), rule_change(21), item(22)])
    assert slow.got == list(range(1, 22))
    assert doubted == [(live, 21), (slow, 21)]
    assert fresh.got == list(range(1, 23))


def test_who_missed_what_is_not_kept_is_given_no_more():
    feed, doubted = doubting(10)
    live, joiner = Reader(), Reader()
    feed.join(live, 10, 10)
    feed.join(joiner, 3, 10)
    feed.heard_of(60)
    feed.too_old(50)
    feed.offer(item(50))
    assert doubted == [(joiner, 49), (live, 49)]
    assert (live.got, joiner.got) == ([-50_049], [-50_049])


def test_what_was_read_for_one_is_read_again_for_the_next_once_it_is_forgotten():
    feed = feed_at(3)
    live, first, second = Reader(), Reader(), Reader()
    feed.join(live, 3, 3)
    feed.join(first, 0, 3)
    feed.fill([item(seq) for seq in range(1, 4)])
    feed.forget()
    feed.join(second, 0, 3)
    assert (first.got, second.got, feed.next_read()) == ([1, 2, 3], [], 0)
