"""Uploads in pieces, on ports in memory."""

import base64
import hashlib
from datetime import timedelta

import pytest

from messaging.core.domain.allowance import Allowance
from messaging.core.domain.attachment import AttachmentNotFoundError, AttachmentStoreUnavailableError
from messaging.files.domain.upload import (
    PIECE_BYTES_MAX,
    SIZES_MAX,
    UPLOAD_LIFE,
    UPLOADING_AT_ONCE_MAX,
    AttachmentTooLargeError,
    AttachmentTypeRefusedError,
    PieceInvalidError,
    TooManyUploadsError,
    UploadOffsetError,
    UploadOverError,
    type_mismatch,
    validate_upload,
)
from messaging.files.usecases.begin_upload import BeginUpload, begin_upload
from messaging.files.usecases.end_upload import end_upload
from messaging.files.usecases.load_own_upload import load_own_upload
from messaging.files.usecases.write_piece import WritePiece, write_piece
from messaging_testing.fakes_files import FILE, OTHER, OWNER, FakeFilesTx, FakeObjects, an_attachment
from objects.store import StoreUnavailableError


@pytest.fixture
def tx():
    made = FakeFilesTx()
    made.attachments.by_id[FILE] = an_attachment()
    return made


@pytest.fixture
def objects():
    return FakeObjects()


def piece(content=b"1234", offset=0, **parts):
    return WritePiece(**{"owner_id": OWNER, "attachment_id": FILE, "offset": offset, "piece": content, **parts})


def beginning(**parts):
    usual = {"purpose": "file", "file_name": "x", "media_type": "text/plain", "size_bytes": 1}
    return BeginUpload(**{"owner_id": OWNER, **usual, **parts})


async def test_a_ticket_lives_so_long(tx):
    new = await begin_upload(beginning(), tx)
    assert tx.attachments.by_id[new.attachment_id] == new
    assert (new.status, new.offset_bytes, new.expires_at) == ("uploading", 0, tx.now + UPLOAD_LIFE)
    assert tx.allowances.held == [(OWNER, Allowance.UPLOADS)]


async def test_somebody_has_so_many_uploads_at_once(tx):
    for _ in range(UPLOADING_AT_ONCE_MAX - 1):
        await begin_upload(beginning(), tx)
    with pytest.raises(TooManyUploadsError):
        await begin_upload(beginning(), tx)


@pytest.mark.parametrize(
    ("purpose", "media_type", "size_bytes", "refusal"),
    [
        ("file", "text/plain", 1, None),
        ("file", "text/plain", SIZES_MAX["file"] + 1, AttachmentTooLargeError),
        ("file", "text/html", 1, AttachmentTypeRefusedError),
        ("image", "image/tiff", 1, AttachmentTypeRefusedError),
        ("voice", "video/webm", 1, None),
        ("video", "audio/ogg", 1, AttachmentTypeRefusedError),
    ],
)
def test_what_may_be_uploaded(purpose, media_type, size_bytes, refusal):
    if refusal is None:
        validate_upload(purpose, media_type, size_bytes)
    else:
        with pytest.raises(refusal):
            validate_upload(purpose, media_type, size_bytes)


@pytest.mark.parametrize(
    ("declared", "purpose", "found", "mismatch"),
    [
        ("text/plain", "file", None, ""),
        ("text/plain", "file", "text/html", "is text/html"),
        ("image/png", "image", "image/jpeg", "is image/jpeg, not image/png"),
        ("image/png", "image", None, "is no picture, not image/png"),
        ("audio/ogg", "voice", "application/ogg", ""),
        ("audio/ogg", "voice", "application/pdf", "is application/pdf, not audio/ogg"),
    ],
)
def test_what_the_bytes_are_is_what_was_said(declared, purpose, found, mismatch):
    assert type_mismatch(declared, purpose, found) == mismatch


async def test_the_last_piece_hands_the_file_to_the_scanner(tx, objects):
    assert await write_piece(piece(), tx, objects) == 4
    assert tx.attachments.by_id[FILE].status == "uploading"
    assert await write_piece(piece(b"5678", 4), tx, objects) == 8
    assert tx.attachments.by_id[FILE].status == "scanning"
    assert tx.attachments.next_at[FILE] == tx.now
    assert objects.contents == {f"{FILE}@0": b"1234", f"{FILE}@4": b"5678"}


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (piece(offset=1), UploadOffsetError),
        (piece(b""), PieceInvalidError),
        (piece(b"123456789"), PieceInvalidError),
        (piece(bytes(PIECE_BYTES_MAX + 1)), PieceInvalidError),
        (piece(checksum="sha1 AAAA"), PieceInvalidError),
        (piece(checksum="sha1 %"), PieceInvalidError),
        (piece(checksum="crc32 AAAA"), PieceInvalidError),
        (piece(owner_id=OTHER), AttachmentNotFoundError),
    ],
)
async def test_a_piece_that_does_not_fit_is_not_written(tx, objects, command, refusal):
    with pytest.raises(refusal):
        await write_piece(command, tx, objects)
    assert objects.contents == {}
    assert tx.attachments.by_id[FILE].offset_bytes == 0


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256"])
async def test_a_checksum_is_compared(tx, objects, name):
    digest = hashlib.new(name, b"1234", usedforsecurity=False).digest()
    checksum = f"{name} {base64.b64encode(digest).decode()}"
    assert await write_piece(piece(checksum=checksum), tx, objects) == 4


async def test_a_store_that_does_not_answer_moves_no_offset(tx, objects):
    objects.fault = StoreUnavailableError("away")
    with pytest.raises(AttachmentStoreUnavailableError):
        await write_piece(piece(), tx, objects)
    assert tx.attachments.by_id[FILE].offset_bytes == 0


@pytest.mark.parametrize(
    ("parts", "takes_more", "is_there"),
    [
        ({}, True, True),
        ({"expires_at": an_attachment().created_at - timedelta(seconds=1)}, False, False),
        ({"status": "expired"}, False, False),
        ({"status": "deleted"}, False, False),
        ({"status": "clean", "expires_at": None}, False, True),
        ({"status": "rejected", "expires_at": None}, False, True),
    ],
)
async def test_how_far_an_upload_is(tx, parts, takes_more, is_there):
    tx.attachments.by_id[FILE] = an_attachment(**parts)
    for finished, found in ((False, takes_more), (True, is_there)):
        if found:
            assert await load_own_upload(OWNER, FILE, tx, finished=finished) == an_attachment(**parts)
        else:
            with pytest.raises(UploadOverError):
                await load_own_upload(OWNER, FILE, tx, finished=finished)


async def test_an_upload_is_ended_by_its_owner(tx):
    with pytest.raises(AttachmentNotFoundError):
        await end_upload(OTHER, FILE, tx)
    await end_upload(OWNER, FILE, tx)
    assert tx.attachments.by_id[FILE].status == "deleted"
