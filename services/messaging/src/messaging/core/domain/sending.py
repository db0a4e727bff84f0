"""What a send goes by: the sender's place, an earlier copy, the messages it is hung on."""

from __future__ import annotations

from dataclasses import dataclass

from messaging.core.domain.dialog import Membership
from messaging.core.domain.message import Earlier


@dataclass(frozen=True, slots=True)
class Facts:
    """About one command of the batch. ``blocked``: of two, one blocks the other, or the other is gone."""

    member: Membership | None
    earlier: Earlier | None
    blocked: bool


@dataclass(frozen=True, slots=True)
class Target:
    """A message that another is hung on. ``thread_seq``: the first of the thread it is in, or would begin."""

    thread_seq: int
    thread_open: bool
