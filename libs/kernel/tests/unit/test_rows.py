from dataclasses import dataclass, field

import pytest

from kernel.rows import columns_of, object_of, rows_affected, values_of


@pytest.mark.parametrize(
    ("status", "rows"), [("UPDATE 0", 0), ("UPDATE 1", 1), ("UPDATE 11", 11), ("INSERT 0 10", 10), ("DELETE 100", 100)]
)
def test_counts_rows_and_reads_no_last_digit(status: str, rows: int) -> None:
    assert rows_affected(status) == rows


def test_a_tag_without_rows_is_an_error() -> None:
    with pytest.raises(ValueError, match="TABLE"):
        rows_affected("CREATE TABLE")


@dataclass(frozen=True)
class Thing:
    kind: str
    size: int
    facts: list[str] = field(default_factory=list)


def test_an_object_takes_what_it_is_not_given_from_the_row() -> None:
    assert object_of(Thing, {"kind": "raw", "size": 2, "more": 3}, kind="cooked", facts=[]) == Thing("cooked", 2)


def test_a_field_without_a_column_is_an_error_even_if_it_has_a_default() -> None:
    with pytest.raises(KeyError, match="facts"):
        object_of(Thing, {"kind": "raw", "size": 2})


def test_columns_of_objects_are_in_the_order_of_their_names() -> None:
    things = [Thing("raw", 2), Thing("cooked", 1)]
    assert columns_of(things, "size", "kind") == [[2, 1], ["raw", "cooked"]]
    assert columns_of([], "size", "kind") == [[], []]


def test_values_of_an_object_are_in_the_order_of_the_statements_columns() -> None:
    assert values_of(Thing("raw", 2, ["x"]), "\n  size, kind,\n  facts, at\n", facts=[], at="now") == [
        2,
        "raw",
        [],
        "now",
    ]


def test_a_column_that_is_neither_given_nor_the_objects_is_an_error() -> None:
    with pytest.raises(AttributeError, match="colour"):
        values_of(Thing("raw", 2), "kind, colour")
