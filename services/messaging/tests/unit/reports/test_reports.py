"""Reports and what moderators do about them, on ports in memory."""

import uuid

import pytest

from messaging.core.domain.dialog import DialogNotFoundError
from messaging.core.domain.membership import MemberNotFoundError
from messaging.core.domain.message import MessageNotFoundError
from messaging.reports.domain.report import ReportNotFoundError
from messaging.reports.usecases.decide_report import decide_report
from messaging.reports.usecases.read_reported import read_reported
from messaging.reports.usecases.report_abuse import ReportAbuse, report_abuse
from messaging_testing.fakes_reports import FakeReportsTx
from messaging_testing.fakes_shared import DIALOG, OTHER, SENDER

MODERATOR = uuid.UUID(int=502)


@pytest.fixture
def tx():
    return FakeReportsTx()


def reporting(*, seq=None, user_id=None, detail=""):
    return ReportAbuse(reporter_id=OTHER, dialog_id=DIALOG, seq=seq, user_id=user_id, reason="spam", detail=detail)


@pytest.mark.parametrize(
    ("command", "reported"),
    [
        (reporting(seq=5, user_id=SENDER), (5, OTHER)),
        (reporting(user_id=SENDER), (None, SENDER)),
        (reporting(), (None, None)),
    ],
)
async def test_a_message_is_reported_with_its_writer_and_a_person_by_name(tx, command, reported):
    report_id = await report_abuse(command, tx)
    kept = tx.reports.by_id[report_id]
    assert ((kept.seq, kept.user_id), kept.status, kept.created_at) == (reported, "open", tx.now)


async def test_the_same_while_it_is_open_is_the_same_report(tx):
    first = await report_abuse(reporting(seq=5), tx)
    assert await report_abuse(reporting(seq=5, detail="again"), tx) == first
    assert await report_abuse(reporting(seq=6), tx) != first
    await decide_report(first, MODERATOR, "dismissed", tx)
    assert await report_abuse(reporting(seq=5), tx) != first


@pytest.mark.parametrize(
    ("command", "watched", "refusal"),
    [
        (reporting(seq=5), False, DialogNotFoundError),
        (reporting(seq=1), True, MessageNotFoundError),
        (reporting(user_id=uuid.UUID(int=9)), True, MemberNotFoundError),
    ],
)
async def test_what_is_not_there_for_the_reporter_is_not_reported(tx, command, watched, refusal):
    tx.streams.watched = watched
    with pytest.raises(refusal):
        await report_abuse(command, tx)
    assert tx.reports.by_id == {}


@pytest.mark.parametrize(("seq", "seen"), [(5, [3, 4, 5, 6, 7]), (2, [1, 2, 3, 4]), (9, [7, 8, 9])])
async def test_a_moderator_reads_the_message_with_its_neighbours_and_that_is_recorded(tx, seq, seen):
    report_id = await report_abuse(reporting(seq=seq), tx)
    found_seq, documents = await read_reported(report_id, MODERATOR, tx)
    assert (found_seq, [each["seq"] for each in documents]) == (seq, seen)
    assert tx.reports.reads == [(report_id, MODERATOR)]


async def test_a_report_of_a_person_shows_no_messages(tx):
    report_id = await report_abuse(reporting(user_id=SENDER), tx)
    assert await read_reported(report_id, MODERATOR, tx) == (None, [])
    assert tx.reports.reads == [(report_id, MODERATOR)]


async def test_a_report_is_decided_once_and_read_only_before(tx):
    report_id = await report_abuse(reporting(seq=5), tx)
    await decide_report(report_id, MODERATOR, "upheld", tx)
    assert tx.reports.by_id[report_id].status == "upheld"
    for act in (decide_report(report_id, MODERATOR, "dismissed", tx), read_reported(report_id, MODERATOR, tx)):
        with pytest.raises(ReportNotFoundError):
            await act
    assert tx.reports.reads == []
