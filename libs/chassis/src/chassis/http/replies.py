"""What a handler may answer beside a plain view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

ViewT = TypeVar("ViewT")


@dataclass(frozen=True, slots=True)
class Reply(Generic[ViewT]):
    """A view with a status or headers of its own. ``location`` and ``etag`` become the headers of that name.

    ``etag`` is that of the version (``etag_of``); what the view shows is added to it.
    """

    view: ViewT
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    location: str | None = None
    etag: str | None = None
