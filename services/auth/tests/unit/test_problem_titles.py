"""Every refusal has its title in every language."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from importlib.resources import files

import auth
from kernel.errors import DomainError


def is_own_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, DomainError) and value.__module__.startswith("auth.")


def own_errors() -> Iterator[type[DomainError]]:
    for module in pkgutil.walk_packages(auth.__path__, "auth."):
        if not module.name.endswith("__main__"):
            yield from filter(is_own_error, vars(importlib.import_module(module.name)).values())


def test_every_code_in_every_language_and_no_other() -> None:
    titles = json.loads(files("auth").joinpath("problems.json").read_text(encoding="utf-8"))
    codes = {error.code for error in own_errors()}
    assert set(titles) == codes
    assert all(set(languages) == {"th", "id", "ms", "vi"} for languages in titles.values())
    assert all(text.strip() for languages in titles.values() for text in languages.values())


def test_no_two_refusals_share_a_code() -> None:
    errors = set(own_errors())
    assert len({error.code for error in errors}) == len(errors)
