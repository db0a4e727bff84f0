"""Keys derived from one, sealing, keyed hashes."""

from __future__ import annotations

import uuid

import pytest
from cryptography.exceptions import InvalidTag

from auth.adapters.keyring_gateway import Keyring
from auth.domain.ids import OtpId


def test_what_is_sealed_opens_only_under_its_name_and_key() -> None:
    keyring = Keyring(b"a" * 32)
    sealed = keyring.seal(b"private", name="kid-1")
    assert keyring.unseal(sealed, name="kid-1") == b"private"
    assert b"private" not in sealed
    for opener, name in ((keyring, "kid-2"), (Keyring(b"b" * 32), "kid-1")):
        with pytest.raises(InvalidTag):
            opener.unseal(sealed, name=name)


def test_what_was_stored_before_opens() -> None:
    stored = bytes.fromhex("128ba121536cf0103332fb09f4558d081b94479fe6f2d623d941f1011901bc8cbb1dc3")
    assert Keyring(b"a" * 32).unseal(stored, name="kid-1") == b"private"


def test_hashes_depend_on_key_and_subject() -> None:
    one, other = OtpId(uuid.uuid4()), OtpId(uuid.uuid4())
    keyring = Keyring(b"a" * 32)
    assert keyring.code_hash(one, "123456") != keyring.code_hash(other, "123456")
    assert keyring.code_hash(one, "123456") != Keyring(b"b" * 32).code_hash(one, "123456")
    assert keyring.destination_hash("a@example.com") != keyring.destination_hash("b@example.com")
