"""Structured logs: one JSON object a line, with the flow, the trace, and nothing personal.

``structlog.get_logger()`` and the standard library's loggers end in the same place.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, Final

import orjson
import structlog
from opentelemetry import trace

from chassis.telemetry.lines import lines
from chassis.telemetry.masking import mask_event
from kernel.correlation import causation_id, correlation_id

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_CHATTY: Final = ("aiokafka", "asyncio", "alembic", "aiohttp.access", "urllib3", "opentelemetry")

service: dict[str, str] = {}


def configure_logging(name: str, *, level: str = "info", fmt: str = "json") -> None:
    """Set up structlog and the standard library's logging for this process."""
    service.clear()
    service["service"] = name
    threshold = _LEVELS[level]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _add_service,
        _add_flow,
        _render_exception,
        mask_event,
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty()) if fmt == "console" else _to_json
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_LineLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shared, last],
        keep_exc_info=True,
        pass_foreign_args=False,
    )
    handler = _LineHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(max(threshold, logging.WARNING))
    logging.captureWarnings(capture=True)


def timestamp(unix_s: float | None = None) -> str:
    """A time (now), RFC 3339 in UTC with milliseconds."""
    now = time.time() if unix_s is None else unix_s
    second = int(now)
    return f"{_up_to_second(second)}.{int((now - second) * 1000):03d}Z"


@lru_cache(maxsize=4)
def _up_to_second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


class _LineLogger:
    """Where structlog's rendered lines go."""

    def __init__(self, *_: Any) -> None:
        pass

    def msg(self, message: str | bytes) -> None:
        lines.write(message if isinstance(message, str) else message.decode())

    log = debug = info = warn = warning = error = critical = exception = fatal = failure = err = msg


class _LineHandler(logging.Handler):
    """Where the standard library's rendered records go."""

    def emit(self, record: logging.LogRecord) -> None:
        lines.write(str(self.format(record)))


def _add_service(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.update(service)
    event["ts"] = timestamp()
    return event


def _add_flow(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    correlation, causation = correlation_id(), causation_id()
    if correlation:
        event.setdefault("correlation_id", correlation)
    if causation and causation != correlation:
        event.setdefault("causation_id", causation)
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = f"{span.trace_id:032x}"
        event["span_id"] = f"{span.span_id:016x}"
    return event


def _render_exception(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    rendered: MutableMapping[str, Any] = structlog.processors.format_exc_info(logger, name, event)
    return rendered


def _to_json(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    first = {name: event.pop(name) for name in ("ts", "level", "service", "event") if name in event}
    return orjson.dumps({**first, **event}, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
