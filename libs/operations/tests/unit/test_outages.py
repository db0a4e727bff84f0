"""chassis and eventing know nothing of each other, and agree on what a lost database connection is."""

import asyncpg
import pytest

from chassis import outages
from chassis.outages import CONNECTION_LOST, is_connection_lost, is_outage
from eventing import failures
from eventing.failures import _OUTAGES, Failure, classify


def lost_connections():
    """Every error of asyncpg that chassis takes for a lost connection, and a few of the system's."""
    found = {value for value in vars(asyncpg.exceptions).values() if isinstance(value, type)}
    made = [kind("away") for kind in found if issubclass(kind, Exception) and issubclass(kind, CONNECTION_LOST)]
    return [error for error in [*made, OSError(), TimeoutError(), ConnectionResetError()] if is_connection_lost(error)]


@pytest.mark.parametrize("error", lost_connections(), ids=lambda error: type(error).__name__)
def test_what_is_503_at_the_edge_is_tried_again_by_consumers_and_never_a_dead_letter(error):
    assert classify(error).transient


def test_both_know_a_missing_right_by_the_same_places():
    assert outages._NO_RIGHT == failures._NO_RIGHT


def test_and_the_other_way_round():
    assert set(_OUTAGES) <= set(CONNECTION_LOST)


def test_an_argument_no_connection_would_take_is_a_defect_in_both():
    error = asyncpg.exceptions._base.DataError("invalid input for query argument $1")
    assert classify(error) is Failure.DEFECT
    assert not is_connection_lost(error)


@pytest.mark.parametrize(
    ("source", "away"),
    [("aclcheck_error", True), ("nextval_internal", True), ("ExecWithCheckOptions", False), ("exec_stmt_raise", False)],
)
def test_a_missing_right_is_an_outage_in_both_and_a_row_that_is_refused_in_neither(source, away):
    error = asyncpg.InsufficientPrivilegeError("permission denied for table outbox")
    error.server_source_function = source
    assert (classify(error) is Failure.OUTAGE, is_outage(error)) == (away, away)
    assert not is_connection_lost(error)
