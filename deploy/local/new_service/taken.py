"""Why a name cannot be a new service's: what is called so already, or what would be made of it."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from registry import Service

LETTERS_MIN: Final = 3
LETTERS_MAX: Final = 20
# What no file of the tree says.
WELL_KNOWN: Final = {
    **dict.fromkeys(("postgres", "redis", "kafka", "envoy", "prometheus", "grafana"), "a part of a stack is called so"),
    **dict.fromkeys(("admin", "probe", "default"), "a user of Redis or Kafka that is no service is called so"),
    **dict.fromkeys(("public", "none"), "Postgres keeps this name for itself"),
    **dict.fromkeys(("infra", "schemas", "topics", "objects", "migrate"), "the stack calls something of its own so"),
    **dict.fromkeys(("demo", "test", "tests"), "an instance of the stack is called so, or a folder of tests"),
    **dict.fromkeys(("docs", "chat"), "the gateway serves its own pages there"),
    **dict.fromkeys(("service", "services", "domain"), "what is made of it would be called as what all services have"),
    "private": "names of topics begin so",
    "ops": "the paths of all services' operators begin with /v1/ops",
}
# Postgres takes them as a schema or a role only in quotes: pg_get_keywords(), R and T.
_SQL_WORDS: Final = """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross default deferrable desc distinct do else end except false fetch for
    foreign freeze from full grant group having ilike in initially inner intersect into is isnull join lateral leading
    left like limit localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing
    primary references returning right select similar some symmetric table tablesample then to trailing true union
    unique user using variadic verbose when where window with"""
SQL_WORDS: Final = frozenset(_SQL_WORDS.split())


def why_not(name: str, services: Sequence[Service], checkout: Path) -> str | None:
    """A plain sentence, or None where the name is free."""
    reasons = (*_of_letters(name), *_of_the_tree(name, services, checkout), *_of_languages(name))
    return next(iter(reasons), None)


def _of_letters(name: str) -> Iterator[str]:
    if not re.fullmatch("[a-z]+", name):
        yield "only lower-case letters: it is a Python package, a schema, a host and a part of topics' names"
    elif len(name) < LETTERS_MIN:
        yield f"at least {LETTERS_MIN} letters: it is read in logs and in names of topics"
    elif len(name) > LETTERS_MAX:
        yield f"at most {LETTERS_MAX} letters: names of Postgres and Kubernetes end at 63, and ours add words to it"


def _of_the_tree(name: str, services: Sequence[Service], checkout: Path) -> Iterator[str]:
    for folder, what in (
        (checkout / "services", "a service"),
        (checkout / "libs", "a library"),
        (checkout / "proto-events" / "sampan", "a package of events"),
    ):
        if name in {path.name for path in folder.iterdir()}:
            yield f"{what} is called so"
    if name in WELL_KNOWN:
        yield WELL_KNOWN[name]
    ports = (checkout / "deploy" / "local" / "ports.env").read_text(encoding="utf-8")
    if name.upper() in re.findall(r"^SAMPAN_PORT_([A-Z]+)", ports, re.MULTILINE):
        yield "a port of the stack is called so"
    for service in services:
        for path in {f"/v1/{name}", f"/v1/ops/{name}"}.intersection(service.routes.paths):
            yield f"the gateway's path {path} leads to {service.name}"


def _of_languages(name: str) -> Iterator[str]:
    if keyword.iskeyword(name):
        yield "a word of Python's own cannot be a package"
    if name in sys.stdlib_module_names:
        yield "it would hide a module of Python's standard library"
    if name in SQL_WORDS:
        yield "a word of SQL's own cannot be a schema without quotes"
    if name.isidentifier() and importlib.util.find_spec(name) is not None:
        yield "it would hide an installed package, or a tool of this tree"
