"""Queries put together at run time: SQLAlchemy Core compiled to asyncpg's ``$n``, once per shape.

Static SQL is written out by the stores; this is for searches whose filters vary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

_SHAPES_MAX = 512
_dialect: Any = asyncpg_dialect()  # type: ignore[no-untyped-call]
_Shape = tuple[str, tuple[str, ...], SQLCompiler, dict[str, Callable[[Any], Any]]]
_shapes: dict[Any, _Shape] = {}


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
        compiled = _dialect.statement_compiler(_dialect, statement, cache_key=key)
        if not isinstance(compiled, SQLCompiler) or compiled.post_compile_params or compiled.literal_execute_params:
            return _expanded(statement)
        if len(_shapes) >= _SHAPES_MAX:
            _shapes.clear()
        processors: dict[str, Any] = dict(compiled._bind_processors)  # noqa: SLF001
        names = tuple(compiled.positiontup or ())
        shape = _shapes[key.key] = (compiled.string, names, compiled, processors)
    sql, names, compiled, processors = shape
    values = compiled.construct_params(extracted_parameters=key.bindparams)
    return sql, [_processed(processors.get(name), values[name]) for name in names]


def _expanded(statement: ClauseElement) -> tuple[str, list[Any]]:
    compiled = statement.compile(dialect=_dialect, compile_kwargs={"render_postcompile": True})
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 -- any other is DDL, which is Alembic's
    processors: dict[str, Any] = dict(compiled._bind_processors)  # noqa: SLF001
    values = compiled.params
    return compiled.string, [_processed(processors.get(name), values[name]) for name in compiled.positiontup or ()]


def _processed(processor: Callable[[Any], Any] | None, value: Any) -> Any:
    return processor(value) if processor else value
