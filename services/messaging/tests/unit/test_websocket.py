"""Frames as bytes, against aiohttp's own reader and writer, and everything that is no frame."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.realtime.domain.codes import Close
from messaging.realtime.domain.websocket import (
    FRAME_BYTES_MAX,
    FrameError,
    FrameReader,
    Opcode,
    accept_of,
    answer_to_close,
    close_frame,
    payload_of,
    payloads_of,
    text_frame,
)


def masked(opcode: int, payload: bytes, *, final: bool = True, reserved: int = 0) -> bytes:
    mask, size = os.urandom(4), len(payload)
    head = bytes([(0x80 if final else 0) | reserved | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += bytes([0x80 | 126]) + size.to_bytes(2)
    else:
        head += bytes([0x80 | 127]) + size.to_bytes(8)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


@given(st.lists(st.binary(max_size=300), max_size=6), st.data())
def test_messages_survive_any_cut_of_the_bytes(messages, data):
    stream = b"".join(masked(Opcode.TEXT, each) for each in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader, got = FrameReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += [payload for _, payload in reader.feed(stream[start:end])]
    assert got == messages


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, FRAME_BYTES_MAX])
def test_every_length(size):
    payload = os.urandom(size)
    assert list(FrameReader().feed(masked(Opcode.TEXT, payload))) == [(Opcode.TEXT, payload)]
    assert payload_of(text_frame(payload)) == payload
    assert list(payloads_of(text_frame(payload) + text_frame(b"x"))) == [payload, b"x"]


def test_fragments_with_a_ping_between_them():
    stream = (
        masked(Opcode.TEXT, b"sawas", final=False)
        + masked(Opcode.PING, b"?")
        + masked(Opcode.CONTINUATION, b"d", final=False)
        + masked(Opcode.CONTINUATION, b"ee")
    )
    assert list(FrameReader().feed(stream)) == [(Opcode.PING, b"?"), (Opcode.TEXT, b"sawasdee")]


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (b"\x81\x05hello", Close.PROTOCOL),
        (masked(Opcode.TEXT, b"x", reserved=0x40), Close.PROTOCOL),
        (masked(3, b"x"), Close.PROTOCOL),
        (masked(11, b"x"), Close.PROTOCOL),
        (masked(Opcode.BINARY, b"x"), Close.MALFORMED),
        (masked(Opcode.CONTINUATION, b"x"), Close.PROTOCOL),
        (masked(Opcode.TEXT, b"x", final=False) + masked(Opcode.TEXT, b"y"), Close.PROTOCOL),
        (masked(Opcode.PING, b"x", final=False), Close.PROTOCOL),
        (masked(Opcode.PING, b"x" * 126), Close.PROTOCOL),
        (masked(Opcode.TEXT, b"x" * (FRAME_BYTES_MAX + 1))[:14], Close.TOO_BIG),
        (b"\x81\xff" + (2**63).to_bytes(8), Close.TOO_BIG),
        (
            b"".join(masked(Opcode.CONTINUATION if n else Opcode.TEXT, b"x" * 30_000, final=False) for n in range(3)),
            Close.TOO_BIG,
        ),
    ],
)
def test_what_is_no_frame(stream, code):
    with pytest.raises(FrameError) as refused:
        list(FrameReader().feed(stream))
    assert refused.value.code is code


def test_the_handshake_of_the_rfc():
    assert accept_of("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (b"", Close.NORMAL),
        ((1000).to_bytes(2), Close.NORMAL),
        ((1014).to_bytes(2) + "ลาก่อน".encode(), Close.NORMAL),
        ((4999).to_bytes(2), Close.NORMAL),
        (b"\x03", Close.PROTOCOL),
        *((code.to_bytes(2), Close.PROTOCOL) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)),
        ((1000).to_bytes(2) + b"\xe0\xb8", Close.PROTOCOL),
    ],
)
def test_a_close_frame_whose_code_or_reason_is_none_is_answered_so(payload, answer):
    assert answer_to_close(payload) is answer


def test_a_close_frame_is_never_longer_than_a_control_frame():
    frame = close_frame(4400, "é" * 200)
    assert frame[1] == 125
    assert int.from_bytes(frame[2:4]) == 4400


def test_a_ping_between_fragments_is_not_counted_to_the_message():
    reader, half = FrameReader(), FRAME_BYTES_MAX // 2
    sent = [
        masked(Opcode.TEXT, b"a" * half, final=False),
        masked(Opcode.PING, b"p" * 100),
        masked(Opcode.CONTINUATION, b"b" * half),
    ]
    taken = [each for data in sent for each in reader.feed(data)]
    assert taken == [(Opcode.PING, b"p" * 100), (Opcode.TEXT, b"a" * half + b"b" * half)]
