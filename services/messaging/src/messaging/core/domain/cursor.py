"""How far members have got in dialogs."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far one member has got in one dialog. 0: says nothing.

    ``told``: it is news to those who may know how far others read; ``arrived``: to all, that ``delivered_seq`` moved.
    """

    dialog_id: UUID
    user_id: UUID
    delivered_seq: int = 0
    read_seq: int = 0
    told: bool = True
    arrived: bool = False
    read_untold_seq: int = 0

    @property
    def told_read_seq(self) -> int | None:
        """What those may be told of who may know how far others read; None: nothing."""
        return None if 0 < self.read_seq <= self.read_untold_seq else self.read_seq
