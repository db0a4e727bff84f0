"""A code stands for one refusal."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import auth
from kernel.errors import DomainError


def is_own_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, DomainError) and value.__module__.startswith("auth.")


def own_errors() -> Iterator[type[DomainError]]:
    for module in pkgutil.walk_packages(auth.__path__, "auth."):
        if not module.name.endswith("__main__"):
            yield from filter(is_own_error, vars(importlib.import_module(module.name)).values())


def test_no_two_refusals_share_a_code() -> None:
    errors = set(own_errors())
    assert len({error.code for error in errors}) == len(errors)
