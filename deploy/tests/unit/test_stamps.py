"""A step whose end was not reached runs again, and so does one whose result is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.checkout import stamped, stamping


def test_a_step_is_done_once_for_the_same_input(tmp_path: Path) -> None:
    stamp = tmp_path / "made-for"
    assert not stamped(stamp, "one")
    with stamping(stamp, "one"):
        pass
    assert stamped(stamp, "one")
    assert not stamped(stamp, "two")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_step_is_not_done_for_any_input(tmp_path: Path, interruption: type[BaseException]) -> None:
    """Also not for the input of the step before: what that made is half replaced."""
    stamp = tmp_path / "made-for"
    with stamping(stamp, "one"):
        pass
    with pytest.raises(interruption), stamping(stamp, "two"):
        raise interruption
    assert not stamped(stamp, "one")
    assert not stamped(stamp, "two")


def test_a_step_that_makes_its_own_folder_leaves_its_stamp_there(tmp_path: Path) -> None:
    made = tmp_path / "venv"
    with stamping(made / "made-for", "one"):
        made.mkdir()
    assert stamped(made / "made-for", "one")
