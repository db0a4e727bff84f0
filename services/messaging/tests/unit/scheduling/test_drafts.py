"""Drafts, on ports in memory."""

import pytest

from messaging.core.domain.dialog import DialogNotFoundError, MemberStatus
from messaging.scheduling.usecases.save_draft import SaveDraft, save_draft
from messaging_testing.fakes_scheduling import FakeSchedulingTx
from messaging_testing.fakes_shared import DIALOG, SENDER, a_member


@pytest.fixture
def tx():
    return FakeSchedulingTx()


def saving(text):
    return SaveDraft(dialog_id=DIALOG, user_id=SENDER, text=text)


async def test_versions_only_grow_through_throwing_away(tx):
    assert [await save_draft(saving(text), tx) for text in ("one", "two", "", "three")] == [1, 2, 3, 4]
    assert [change["thrown_away"] for _, _, change in tx.accounts.changes] == [False, False, True, False]
    assert tx.drafts.texts == {(SENDER, DIALOG): tx.sealer.encrypt(SENDER, b"three")}


async def test_what_is_not_there_is_thrown_away_without_a_word(tx):
    assert await save_draft(saving("  "), tx) == 0
    await save_draft(saving("one"), tx)
    assert [await save_draft(saving(""), tx) for _ in range(2)] == [2, 2]
    assert len(tx.accounts.changes) == 2


@pytest.mark.parametrize("member", [None, a_member(status=MemberStatus.LEFT)])
async def test_who_is_not_in_keeps_none(tx, member):
    tx.dialogs.members = {} if member is None else {SENDER: member}
    with pytest.raises(DialogNotFoundError):
        await save_draft(saving("one"), tx)
    assert tx.drafts.texts == {}
