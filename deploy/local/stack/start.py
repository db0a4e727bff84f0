"""Brings up one part: prepare, start, wait until it answers, finish. Invariant: a silent part is a named failure."""

from __future__ import annotations

from stack.context import Context
from stack.control import Control
from stack.failure import PartFailedError
from stack.part import Part
from stack.probe import http_text, wait_until
from stack.report import Report

EARLY_DEATHS_MAX = 2


def bring_up(context: Context, part: Part, report: Report) -> None:
    """Returns when the part is ready and finished; raises PartFailedError with the end of its log."""
    control = Control(context)
    log = context.layout.logs / f"{part.name}.log"
    if not control.state(part.name).up:
        part.prepare()
        control.start(part.name)
    deaths: set[int] = set()

    def alive() -> None:
        state = control.state(part.name)
        if state.state in {"BACKOFF", "EXITED"}:
            deaths.add(state.started_unix_s)
        if state.state in {"FATAL", "STOPPED"} or len(deaths) >= EARLY_DEATHS_MAX:
            control.begin_stop(part.name)
            raise PartFailedError(part.name, f"it ends right after its start ({state.description})", log)

    if not wait_until(part.ready, part.ready_timeout_s, alive):
        raise PartFailedError(part.name, f"no answer in {part.ready_timeout_s:.0f} s{_reasons(part, context)}", log)
    part.finish()
    report.line(part.name, f"ready  {part.wish}")


def _reasons(part: Part, context: Context) -> str:
    """What a service itself says it is waiting for."""
    if part.kind == "infra" or f"{part.name}_ops" not in context.ports:
        return ""
    text = http_text(context.ports[f"{part.name}_ops"], "/readyz").strip()
    return f"; it says {text}" if text else ""
