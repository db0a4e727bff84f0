"""The made parts of a text: lines between a mark that names the part and one that ends it, both comments.

# made from service.toml: roots
…
# end of roots

A mark names what the part is made from: service.toml, or the source.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Final

_PART: Final = re.compile(
    r"(?P<begin>^(?P<indent>[ ]*)(?:#|<!--) made from (?:service\.toml|the source): (?P<name>[a-z ]+?)(?: -->)?\n)"
    r"(?P<made>.*?)"
    r"(?P<end>^[ ]*(?:#|<!--) end of (?P=name)(?: -->)?$)",
    re.MULTILINE | re.DOTALL,
)


class PartsError(ValueError):
    """The marks in a file are not those of the parts that are made for it."""


def replaced(text: str, parts: Mapping[str, str], *, name: str) -> str:
    """``text`` with each part's lines anew, indented as its mark. Raises ``PartsError`` where a mark has no part."""
    found = [match["name"] for match in _PART.finditer(text)]
    if sorted(found) != sorted(parts):
        raise PartsError(f"{name} has marks for {', '.join(found) or 'nothing'}; {', '.join(parts)} are made for it")

    def anew(match: re.Match[str]) -> str:
        lines = textwrap.indent(parts[match["name"]].rstrip("\n"), match["indent"])
        return f"{match['begin']}{lines}\n{match['end']}"

    return _PART.sub(anew, text)
