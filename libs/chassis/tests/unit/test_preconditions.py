"""Which versions an edit is meant for."""

import pytest

from chassis.http import versions_of
from chassis.http.preconditions import parse_if_match


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        (None, None), ("*", None), ('"7"', {7}), ('"7.0aff", "8.17ab"', {7, 8}), ('W/"7", "8"', {8}),
        ('"x"', set()), ("7", set()), ('"' + "9" * 5000 + '"', set()), ('"-1"', set()),
    ],
)  # fmt: skip
def test_the_versions_that_a_caller_may_have(header, versions):
    assert versions_of(parse_if_match(header, required=False)) == versions
