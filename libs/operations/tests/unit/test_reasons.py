"""Why an operator did it: at the console it is held to what the API takes."""

import argparse

import pytest

from operations.commands.console import reason_argument


def parsed(*given):
    parser = argparse.ArgumentParser()
    reason_argument(parser)
    return parser.parse_args(given).reason


def test_a_reason_may_be_left_out_and_is_kept_as_it_is_read():
    assert [parsed(), parsed("--reason", ""), parsed("--reason", "one\u2060two")] == ["", "", "onetwo"]


@pytest.mark.parametrize("given", ["  ", "\u3164", "\u200d\u200d", "a\u202eb", "\udc80"])
def test_one_that_shows_nothing_or_hides_something_is_refused(given, capsys):
    with pytest.raises(SystemExit):
        parsed("--reason", given)
    assert "--reason" in capsys.readouterr().err
