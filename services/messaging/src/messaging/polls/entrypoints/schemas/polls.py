"""What is said about polls."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chassis.http import Body


class VoteBody(Body):
    """Positions of the chosen options, 0 is the first; none takes the vote back."""

    options: Annotated[list[Annotated[int, Field(ge=0, le=19)]], Field(max_length=20)]
