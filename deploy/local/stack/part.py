"""One part of the stack: what runs, with which environment, and how to tell that it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["infra", "app"]


def nothing() -> None:
    """No preparation, or nothing to finish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A process that supervisor keeps alive.

    `prepare` runs before the first start, `ready` asks the part itself, `finish` runs once it is ready.
    `needs` are names of other parts that must be finished first.
    """

    name: str
    kind: Kind
    command: tuple[str, ...]
    directory: Path
    ports: tuple[str, ...]
    ready: Callable[[], bool]
    prepare: Callable[[], None] = nothing
    finish: Callable[[], None] = nothing
    needs: tuple[str, ...] = ()
    env_file: Path | None = None
    stop_signal: Literal["TERM", "INT"] = "TERM"
    stop_timeout_s: int = 20
    ready_timeout_s: float = 120
    wish: str = ""  # shown by `status`: where a person finds it
