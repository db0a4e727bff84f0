"""Titles of problems in the languages of their readers.

Codes and details are for the client's developer and stay as they are; the title may be shown to a person. A package
that defines errors has their titles beside its ``__init__.py``, in ``problems.json``: code, language, title.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

import orjson

from kernel.errors import DomainError

_DEFAULT: Final = "en"
_OWN: Final = "chassis"

Titles = Mapping[str, Mapping[str, str]]


def titles_of(error: type[DomainError]) -> Mapping[str, str]:
    """By language, from the package that defines the error, or the chassis where it takes up one of its codes.

    English is what the class says.
    """
    package = error.__module__.partition(".")[0]
    titles = _titles_in(package).get(error.code) or _titles_in(_OWN).get(error.code, {})
    return {_DEFAULT: error.title, **titles}


@cache
def _titles_in(package: str) -> Titles:
    try:
        titles: Titles = orjson.loads(resources.files(package).joinpath("problems.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError, ModuleNotFoundError, TypeError):
        return {}
    return titles
