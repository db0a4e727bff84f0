"""What Postgres says of a statement that was done: its command tag, such as ``UPDATE 11`` or ``INSERT 0 1``."""

from __future__ import annotations


def rows_affected(status: str) -> int:
    """How many rows a statement wrote, by the tag ``execute`` returns. Raises ``ValueError`` where it names none."""
    return int(status.rpartition(" ")[2])
