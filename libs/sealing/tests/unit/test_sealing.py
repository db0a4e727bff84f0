"""What is sealed, opened again: golden bytes, people apart, and damage that is one row's outcome."""

import base64
import os
import uuid

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sealing import (
    Damage,
    PersonKeys,
    Sealer,
    Wrapping,
    decoded_key,
    decrypt,
    encrypt,
    opened_json,
    opened_text,
    seal,
    unseal,
)

SOMEBODY, OTHER = uuid.UUID("019a0000-0000-7000-8000-000000000001"), uuid.uuid4()
# As they are stored: a change of any of these loses what people wrote.
WRAPPED = bytes.fromhex(
    "a7b85e38e54bea0cc21c7fd4bc76fe1edf113083d4baff8f689d87837d13d260676a9ac7d4115f8d28a91a4f814e5f3254f8eda00b9fb385464062dd"
)
SEALED = bytes.fromhex("4d40aaa8e19afc0d6f221a3e20c30c8a36a303842b9cf63bc8f82c450f122ea21bd1065100bb8faaab92d9e65872")
OF_THE_SYSTEM = bytes.fromhex("0f8b5f4e7aa38c35d89df0db2754f0f2cf740e648be9089819ca29b1582a9f5d")


class RefusedError(Exception):
    """The service's own."""


class Table:
    """``person_key``, as a connection gives it."""

    def __init__(self, **wrapped):
        self.rows, self.asked = {uuid.UUID(hex=name): key for name, key in wrapped.items()}, 0

    async def fetch(self, sql, people, made=()):
        self.asked += 1
        if "INSERT" in sql:
            for user_id, wrapped in zip(people, made, strict=True):
                self.rows.setdefault(user_id, wrapped)
        return [{"user_id": each, "wrapped_key": self.rows[each]} for each in people if each in self.rows]


@pytest.fixture
def noted():
    return []


@pytest.fixture
def wrapping(noted):
    return Wrapping(b"k" * 32, lambda what, **row: noted.append((what, row)), RefusedError)


@pytest.fixture
def table():
    return Table(**{SOMEBODY.hex: WRAPPED})


async def test_rows_that_were_stored_before_open(wrapping, table, noted):
    keys = PersonKeys(wrapping)
    await keys.load(table, [SOMEBODY, None])
    assert opened_text(keys, SOMEBODY, SEALED) == "สวัสดี"
    assert opened_text(keys, None, OF_THE_SYSTEM) == "said"
    assert noted == []


def test_a_secret_opens_only_with_what_it_is_bound_to():
    key = AESGCM(b"a" * 32)
    sealed = encrypt(key, b"private", b"kid-1")
    assert decrypt(key, sealed, b"kid-1") == b"private"
    assert (len(sealed), b"private" in sealed) == (12 + len(b"private") + 16, False)
    assert encrypt(key, b"private", b"kid-1") != sealed
    for opener, name in ((key, b"kid-2"), (AESGCM(b"b" * 32), b"kid-1")):
        with pytest.raises(InvalidTag):
            decrypt(opener, sealed, name)


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(os.urandom(31)).decode(), "é" * 44])
def test_a_wrong_key_is_named(text):
    with pytest.raises(ValueError, match="must be"):
        decoded_key(text)


def test_what_was_never_sealed_is_not_opened(wrapping):
    keys = PersonKeys(wrapping)
    sealed = seal(keys.wrapping.own, None, b"said")
    assert keys.decrypt(None, sealed) == b"said"
    for damaged in (b"", b"\0", sealed[:11], sealed[:12], sealed[:-1], sealed + b"\0", b"\0" * 100):
        assert keys.decrypt(None, damaged) is None


def test_what_one_person_wrote_does_not_open_as_anothers(wrapping):
    key = wrapping.unwrap(SOMEBODY, WRAPPED)
    assert key is not None
    assert unseal(key, SOMEBODY, SEALED) is not None
    assert unseal(key, OTHER, SEALED) is None
    assert wrapping.unwrap(OTHER, WRAPPED) is None


async def test_damage_is_noted_with_its_row_and_is_that_rows_outcome(wrapping, table, noted):
    table.rows[OTHER] = b"damaged"
    keys = PersonKeys(wrapping)
    await keys.load(table, [SOMEBODY, OTHER])
    assert noted == [(Damage.KEY, {"user_id": OTHER})]
    assert opened_text(keys, OTHER, SEALED, seq=1) is None  # the key was noted, its rows are not
    assert opened_text(keys, SOMEBODY, SEALED[:-1], seq=2) is None
    assert opened_text(keys, SOMEBODY, seal(wrapping.unwrap(SOMEBODY, WRAPPED), SOMEBODY, b"\xff"), seq=3) is None
    assert noted[1:] == [(Damage.SEALED, {"user_id": SOMEBODY, "seq": seq}) for seq in (2, 3)]
    assert opened_text(keys, SOMEBODY, SEALED, seq=4) == "สวัสดี"


@pytest.mark.parametrize("empty", [None, b""])
async def test_what_is_empty_or_shredded_is_nothing_and_no_damage(wrapping, table, noted, empty):
    table.rows[OTHER] = None
    keys = PersonKeys(wrapping)
    await keys.load(table, [SOMEBODY, OTHER])
    assert opened_text(keys, SOMEBODY, empty) is None
    assert opened_text(keys, OTHER, SEALED) is None
    assert (keys.usable(SOMEBODY), keys.usable(OTHER), noted) == (True, False, [])


@pytest.mark.parametrize("written", ["not JSON", "[1]", '"text"', '{"type": 1}', '{"type": "text", "text": null}'])
async def test_a_document_of_another_shape_is_damage(wrapping, table, noted, written):
    keys = PersonKeys(wrapping)
    assert opened_json(keys, None, seal(wrapping.own, None, written.encode()), seq=1) is None
    assert noted == [(Damage.SEALED, {"user_id": None, "seq": 1})]
    assert opened_json(keys, None, seal(wrapping.own, None, b'{"type": "text", "text": "a"}')) is not None


async def test_a_cached_key_is_asked_for_again_once_it_is_doubted_or_forgotten(wrapping, table):
    keys = PersonKeys(wrapping)
    for _ in range(2):
        await keys.load(table, [SOMEBODY])
    assert table.asked == 1
    table.rows[SOMEBODY] = wrapping.made(SOMEBODY)  # the cached key was never committed
    assert keys.decrypt(SOMEBODY, b"of the new key, thus damaged") is None
    assert keys.decrypt(SOMEBODY, SEALED) is not None
    await keys.load(table, [SOMEBODY])
    assert (table.asked, keys.decrypt(SOMEBODY, SEALED)) == (2, None)
    keys.forget(SOMEBODY)
    assert not keys.usable(SOMEBODY)
    del table.rows[SOMEBODY]
    await keys.load(table, [SOMEBODY])
    assert not keys.usable(SOMEBODY)


async def test_who_writes_gets_a_key_once_and_what_they_seal_opens_for_readers(wrapping, table):
    first, second = Sealer(table, wrapping), Sealer(table, wrapping)
    for sealer in (first, second):
        await sealer.ready([OTHER, SOMEBODY, None])
    keys = PersonKeys(wrapping)
    await keys.load(table, [OTHER, SOMEBODY])
    for sealer in (first, second):
        for user_id in (OTHER, SOMEBODY, None):
            assert opened_text(keys, user_id, sealer.encrypt(user_id, b"words")) == "words"
    assert first.decrypt(SOMEBODY, SEALED) == "สวัสดี".encode()


async def test_nothing_is_sealed_for_who_has_no_key_or_is_not_ready(wrapping, table):
    table.rows[OTHER] = None
    sealer = Sealer(table, wrapping)
    with pytest.raises(KeyError):
        sealer.encrypt(SOMEBODY, b"words")
    await sealer.ready([OTHER])
    assert not sealer.usable(OTHER)
    with pytest.raises(RefusedError):
        sealer.encrypt(OTHER, b"words")
    assert table.rows[OTHER] is None  # and no other is made
