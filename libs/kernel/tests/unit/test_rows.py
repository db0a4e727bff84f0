import pytest

from kernel.rows import rows_affected


@pytest.mark.parametrize(
    ("status", "rows"), [("UPDATE 0", 0), ("UPDATE 1", 1), ("UPDATE 11", 11), ("INSERT 0 10", 10), ("DELETE 100", 100)]
)
def test_counts_rows_and_reads_no_last_digit(status: str, rows: int) -> None:
    assert rows_affected(status) == rows


def test_a_tag_without_rows_is_an_error() -> None:
    with pytest.raises(ValueError, match="TABLE"):
        rows_affected("CREATE TABLE")
