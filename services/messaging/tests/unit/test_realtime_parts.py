"""Small parts of the node: buckets, hints on the wire, frames of clients."""

import uuid

import orjson
import pytest

from chassis.errors import BodyInvalidError
from kernel.errors import DomainError
from messaging.live.entrypoints.schemas.frames import FRAMES, AckFrame
from messaging.realtime.domain.buckets import Bucket
from messaging.realtime.domain.refusals import FrameUnknownError, FrameUnreadableError
from messaging.realtime.domain.websocket import payload_of, text_frame
from messaging.realtime.socket.frames import error_frame, read_frame, ref_of
from messaging.realtime.socket.hints import EphemeralFrame, pack_ephemeral, pack_items, unpack
from messaging.realtime.socket.streams import Item

DIALOG = uuid.uuid4()


def test_a_bucket_gives_its_burst_and_then_its_rate():
    bucket = Bucket(5, now=0.0)
    left = [bucket.spend(0.0, burst=5, per_s=2, floor=-3) for _ in range(10)]
    assert left == [4, 3, 2, 1, 0, -1, -2, -3, -3, -3]
    assert bucket.spend(2.0, burst=5, per_s=2, floor=-3) == 0
    assert bucket.spend(1000.0, burst=5, per_s=2) == 4


def test_hints_say_what_was_committed():
    gone = uuid.uuid4()
    items = [
        Item(1, text_frame('{"text":"ส"}\n{'.encode()), "message.new"),
        Item(2, text_frame(b"{}"), "member.changed", gone, ended=True),
        Item(3, text_frame(b"{}"), "pin.changed", about_seq=1),
        Item(4, text_frame(b"{}"), "pin.changed", about_seq=1, hidden_from=frozenset({gone, uuid.uuid4()})),
        Item(5, text_frame(b"x" * 70_000), "message.new"),
    ]
    hint = unpack(pack_items("n-1", items))
    assert (hint.node, list(hint.items)) == ("n-1", items)


@pytest.mark.parametrize("to_users", [None, frozenset(), frozenset({DIALOG})])
def test_hints_say_what_is_not_stored_and_to_whom(to_users):
    ephemeral = EphemeralFrame(b'{"type":"typing"}', to_users)
    hint = unpack(pack_ephemeral("n-2", ephemeral))
    assert (hint.node, hint.ephemeral) == ("n-2", ephemeral)


def test_a_hint_about_what_nobody_deleted_for_themselves_is_one_that_the_previous_version_reads():
    packed = pack_items("n-1", [Item(3, text_frame(b"{}"), "pin.changed", about_seq=1)])
    [listed] = orjson.loads(packed.partition(b"\n")[0])["e"]
    assert listed == [3, "pin.changed", 2, None, False, 1]


@pytest.mark.parametrize(
    "message", [b"", b"{", b"[]\n", b'{"n":1}\n', b'{"n":"x","e":[[1,"t",9,null,false]]}\nab', b"\xff"]
)
def test_what_is_no_hint_is_refused(message):
    with pytest.raises(ValueError, match=r".+"):
        unpack(message)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"auth"',
        b"null",
        b'{"type":1}',
        b"{}",
        b'{"type":"ping","type":"ping"}',
        b'{"type":"\xff"}',
        b"[" * 5000,
    ],
)
def test_what_is_no_frame_is_unreadable(raw):
    with pytest.raises(FrameUnreadableError):
        read_frame(raw, FRAMES)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b'{"type":"dance"}', FrameUnknownError),
        (b'{"type":"auth"}', BodyInvalidError),
        (b'{"type":"auth","ticket":"a","token":"b"}', BodyInvalidError),
        (b'{"type":"ping","extra":1}', BodyInvalidError),
        (b'{"type":"ack","dialog_id":"x"}', BodyInvalidError),
        (b'{"type":"ack","dialog_id":"%s","read_seq":-1}' % str(DIALOG).encode(), BodyInvalidError),
        (b'{"type":"ack","dialog_id":"%s","read_seq":"1"}' % str(DIALOG).encode(), BodyInvalidError),
        (b'{"type":"ack","dialog_id":"%s","read_seq":9007199254740993}' % str(DIALOG).encode(), BodyInvalidError),
        (b'{"type":"subscribe","dialog_ids":[]}', BodyInvalidError),
        (b'{"type":"ping","ref":"a\\u202eb"}', BodyInvalidError),
    ],
)
def test_what_is_refused_says_why(raw, error):
    with pytest.raises(error):
        read_frame(raw, FRAMES)


def test_a_frame_is_read():
    kind, frame = read_frame(b'{"type":"ack","dialog_id":"%s","read_seq":5}' % str(DIALOG).encode(), FRAMES)
    assert (kind, type(frame)) == ("ack", AckFrame)
    assert (frame.dialog_id, frame.read_seq, frame.delivered_seq) == (DIALOG, 5, 0)


def test_an_error_bears_the_ref_of_what_it_is_about():
    assert ref_of(b'{"type":"dance","ref":"r1"}') == "r1"
    assert ref_of(b'{"ref":5}') is None
    assert ref_of(b"{") is None
    told = payload_of(error_frame(DomainError("why", pointer="/x", retry_after_s=2.0), "r1"))
    assert b'"ref":"r1"' in told
    assert b'"retry_after_s":2.0' in told
    assert b'"pointer":"/x"' in told
