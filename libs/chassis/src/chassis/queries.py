"""Queries put together at run time: SQLAlchemy Core compiled to asyncpg's ``$n``, once per shape.

Static SQL is written out by the stores; this is for searches whose filters vary. SQLAlchemy is loaded by whoever
makes such a query, so a service without any pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    from sqlalchemy.sql import ClauseElement
    from sqlalchemy.sql.compiler import SQLCompiler

_SHAPES_MAX = 512
_Processors = dict[str, Callable[[Any], Any]]
_shapes: dict[Any, tuple[str, tuple[str, ...], SQLCompiler, _Processors]] = {}


async def fetch(conn: asyncpg.Connection, statement: ClauseElement) -> list[asyncpg.Record]:
    """All rows of a SELECT (or of a statement with RETURNING)."""
    sql, values = compile_statement(statement)
    return await conn.fetch(sql, *values)


async def fetch_one(conn: asyncpg.Connection, statement: ClauseElement) -> asyncpg.Record | None:
    """The first row, or None."""
    sql, values = compile_statement(statement)
    return await conn.fetchrow(sql, *values)


def compile_statement(statement: ClauseElement) -> tuple[str, list[Any]]:
    """SQL with ``$n`` placeholders, and the values in their order."""
    key = statement._generate_cache_key()  # noqa: SLF001 -- what SQLAlchemy's own engines key their cache on
    if key is None:
        return _expanded(statement)
    shape = _shapes.get(key.key)
    if shape is None:
        compiled: SQLCompiler = _dialect().statement_compiler(_dialect(), statement, cache_key=key)
        if compiled.post_compile_params or compiled.literal_execute_params:
            return _expanded(statement)
        if len(_shapes) >= _SHAPES_MAX:
            _shapes.clear()
        shape = _shapes[key.key] = (compiled.string, _names(compiled), compiled, _processors(compiled))
    sql, names, compiled, processors = shape
    values = compiled.construct_params(extracted_parameters=key.bindparams)
    return sql, [_processed(processors.get(name), values[name]) for name in names]


def _expanded(statement: ClauseElement) -> tuple[str, list[Any]]:
    """A list of values becomes as many placeholders, so this shape is not kept."""
    compiled: Any = statement.compile(dialect=_dialect(), compile_kwargs={"render_postcompile": True})
    processors, values = _processors(compiled), compiled.params
    return compiled.string, [_processed(processors.get(name), values[name]) for name in _names(compiled)]


@lru_cache(maxsize=1)
def _dialect() -> Any:
    from sqlalchemy.dialects.postgresql.asyncpg import dialect  # noqa: PLC0415 -- as the module says

    return dialect()  # type: ignore[no-untyped-call]


def _names(compiled: SQLCompiler) -> tuple[str, ...]:
    return tuple(compiled.positiontup or ())


def _processors(compiled: SQLCompiler) -> _Processors:
    processors: Any = compiled._bind_processors  # noqa: SLF001 -- what an engine applies to each value
    return dict(processors)


def _processed(processor: Callable[[Any], Any] | None, value: Any) -> Any:
    return processor(value) if processor else value
