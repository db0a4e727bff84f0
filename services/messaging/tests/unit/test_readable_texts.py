"""What tells somebody something shows: reasons, descriptions, notes. Left out is fine; only looking like it is not."""

import argparse

import pytest
from pydantic import TypeAdapter, ValidationError

from messaging.cards.entrypoints.schemas.payments import SendPaymentBody
from messaging.core.entrypoints.routes.dialog_settings import ChangeDialogBody
from messaging.core.entrypoints.schemas.messages import CreateDialogBody
from messaging.lifecycle.entrypoints.cli import COMMANDS
from messaging.lifecycle.entrypoints.schemas.legal_holds import WhyQuery
from messaging.reports.entrypoints.schemas.reports import DecisionBody, ReportBody

BLANK = ["  ", "\n", "\u3164", "\u2800", "\u200d\u200d"]
FIELDS = [
    (WhyQuery, "reason"),
    (DecisionBody, "reason"),
    (ReportBody, "detail"),
    (CreateDialogBody, "description"),
    (ChangeDialogBody, "description"),
    (SendPaymentBody, "note"),
]


def taken(body, field, value):
    return TypeAdapter(body.model_fields[field].rebuild_annotation()).validate_python(value)


@pytest.mark.parametrize(("body", "field"), FIELDS)
@pytest.mark.parametrize("blank", BLANK)
def test_what_cannot_be_seen_is_refused(body, field, blank):
    with pytest.raises(ValidationError, match="nothing of it can be seen"):
        taken(body, field, blank)


@pytest.mark.parametrize(("body", "field"), FIELDS)
def test_nothing_and_something_are_taken(body, field):
    assert [taken(body, field, each) for each in ("", "so\nit is")] == ["", "so\nit is"]


@pytest.mark.parametrize("blank", BLANK)
def test_a_hold_at_the_console_has_no_reason_that_cannot_be_seen(blank, capsys):
    parser = argparse.ArgumentParser()
    COMMANDS["legal-hold"].arguments(parser)
    hold = ["put", "01900000-0000-7000-8000-000000000000"]
    assert parser.parse_args([*hold, "--reason", "court order"]).reason == "court order"
    with pytest.raises(SystemExit):
        parser.parse_args([*hold, "--reason", blank])
    assert "nothing of it can be seen" in capsys.readouterr().err
