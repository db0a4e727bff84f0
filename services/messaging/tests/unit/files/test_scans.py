"""Verdicts on files, on ports in memory."""

from datetime import timedelta
from uuid import UUID

import pytest

from messaging.files.adapters.inspection_gateway import media_type_of
from messaging.files.domain.upload import Drawing
from messaging.files.usecases.ports import FileTools
from messaging.files.usecases.retract_attachment import RetractAttachment, retract_attachment
from messaging.files.usecases.scan_attachment import RESCAN_AFTER, scan_attachment
from messaging_testing.fakes_files import (
    DIGEST,
    FILE,
    OWNER,
    FakeFilesTx,
    FakeInspector,
    FakeObjects,
    FakeScanner,
    an_attachment,
)
from objects.scanner import ScannerUnavailableError
from objects.store import StoreUnavailableError

DIALOG = UUID(int=700)


@pytest.fixture
def tx():
    return FakeFilesTx()


@pytest.fixture
def tools():
    return FileTools(objects=FakeObjects(), scanner=FakeScanner(), inspector=FakeInspector())


async def scanned(tx, tools, **parts):
    """What is kept of a file that was whole."""
    file = an_attachment(**{"status": "scanning", "expires_at": None, **parts})
    tx.attachments.by_id[FILE] = file
    await scan_attachment(file, tx.begin, tools)
    return tx.attachments.by_id[FILE]


async def test_a_clean_file_is_stored_and_looked_at_once_more(tx, tools):
    kept = await scanned(tx, tools)
    assert (kept.status, kept.sha256) == ("clean", DIGEST)
    assert tx.attachments.next_at[FILE] == tx.now + RESCAN_AFTER
    assert tools.objects.contents == {str(FILE): tools.objects.path}
    assert tx.accounts.changes == [
        (OWNER, "attachment.changed", {"dialog_id": None, "attachment_id": FILE, "status": "clean"})
    ]


async def test_the_second_look_is_the_last_and_tells_nobody(tx, tools):
    kept = await scanned(tx, tools, status="clean", sha256=DIGEST)
    assert (kept.status, kept.sha256) == ("clean", DIGEST)
    assert tx.attachments.next_at[FILE] is None
    assert tx.accounts.changes == []


async def test_a_picture_is_kept_with_its_thumbnails(tx, tools):
    tools.inspector.media_type = "image/png"
    tools.inspector.drawing = Drawing((640, 480), {320: b"small"})
    kept = await scanned(tx, tools, purpose="image", media_type="image/png")
    assert (kept.width, kept.height, kept.thumbnails) == (640, 480, (320,))
    assert tools.objects.contents[f"{FILE}.320"] == b"small"


@pytest.mark.parametrize("status", ["scanning", "clean"])
async def test_what_is_infected_is_refused_whenever_it_is_found(tx, tools, status):
    tools.scanner.found = "Eicar"
    assert (await scanned(tx, tools, status=status)).status == "infected"
    assert tx.attachments.verdicts[FILE] == "Eicar"
    assert tools.objects.contents == {}


@pytest.mark.parametrize(
    ("parts", "inspector", "verdict"),
    [
        ({"sha256_expected": b"\x02" * 32}, FakeInspector(), "is not what its SHA-256 says"),
        ({}, FakeInspector(media_type="text/html"), "is text/html"),
        (
            {"purpose": "image", "media_type": "image/png"},
            FakeInspector(media_type="image/png", drawing=None),
            "is no picture: truncated",
        ),
    ],
)
async def test_what_is_not_what_was_said_is_rejected(tx, parts, inspector, verdict):
    tools = FileTools(objects=FakeObjects(), scanner=FakeScanner(), inspector=inspector)
    assert (await scanned(tx, tools, **parts)).status == "rejected"
    assert tx.attachments.verdicts[FILE] == verdict
    assert tools.objects.contents == {}


async def test_a_file_that_was_ended_meanwhile_leaves_no_bytes(tx, tools):
    tools.inspector.media_type = "image/png"
    tools.inspector.drawing = Drawing((640, 480), {320: b"small"})

    class Ending:
        async def scan(self, _path):
            tx.attachments.by_id[FILE] = an_attachment(status="deleted")

    ending = FileTools(objects=tools.objects, scanner=Ending(), inspector=tools.inspector)
    kept = await scanned(tx, ending, purpose="image", media_type="image/png")
    assert kept.status == "deleted"
    assert tools.objects.contents == {}
    assert tx.accounts.changes == []


@pytest.mark.parametrize("attempts", [0, 3, 50])
@pytest.mark.parametrize("fault", [ScannerUnavailableError("away"), StoreUnavailableError("away"), FileNotFoundError()])
async def test_without_a_verdict_it_is_put_off_and_stays_unavailable(tx, attempts, fault):
    away = isinstance(fault, ScannerUnavailableError)
    tools = FileTools(
        objects=FakeObjects(fault=None if away else fault),
        scanner=FakeScanner(fault=fault if away else None),
        inspector=FakeInspector(),
    )
    assert (await scanned(tx, tools, attempts=attempts)).status == "scanning"
    delay_s = min(300, 0.5 * 2**attempts)
    assert tx.attachments.next_at[FILE] == tx.now + timedelta(seconds=delay_s)


async def test_a_file_that_is_taken_back_changes_every_message_that_shows_it(tx):
    tx.attachments.by_id[FILE] = file = an_attachment(status="clean")
    tx.attachments.uses = [(DIALOG, 1), (DIALOG, 2)]
    tx.stream.dialogs = {DIALOG: "the dialog"}
    message = {"dialog_id": DIALOG, "sender_id": OWNER, "version": 3}
    tx.messages.rows = {
        (DIALOG, 1): {**message, "seq": 1, "deleted_at": None},
        (DIALOG, 2): {**message, "seq": 2, "deleted_at": tx.now},
    }
    await retract_attachment(RetractAttachment(attachment=file, status="infected", verdict="late"), tx)
    [(dialog, kind, parts)] = tx.stream.changes
    assert (dialog, kind, parts["message_seq"]) == ("the dialog", "message.edited", 1)
    assert parts["payload"] == {"sender_id": OWNER, "version": 3}
    assert tx.accounts.changes[0][2]["status"] == "infected"


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"  <!DOCTYPE html><html>", "text/html"),
        (b"<?xml version='1.0'?><svg>", "image/svg+xml"),
        (b"MZ\x90\x00", "application/x-msdownload"),
        (b"\x7fELF", "application/x-executable"),
        (b"#!/bin/sh", "application/x-sh"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\x00\x00\x00\x20ftypzzzz", "video/mp4"),
        (b"nothing known", None),
    ],
)
def test_what_the_first_bytes_show(head, media_type):
    assert media_type_of(head) == media_type
