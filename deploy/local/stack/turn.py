"""Stops, starts or restarts single parts of a running instance, and tells their process ids."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from stack.catalogue import INFRA, all_parts
from stack.context import Context
from stack.control import Control
from stack.environment import write_environments
from stack.failure import StackError
from stack.instance import locked, running_context
from stack.layout import current_layout
from stack.part import Part
from stack.report import Report
from stack.start import bring_up
from stack.steps import Step, run_steps
from stack.supervision import write_configuration


def restart(names: Sequence[str]) -> None:
    """Stop and start the parts; without names, all of our own and none of the infrastructure."""
    with locked(current_layout()):
        context, parts = _selected(names)
        _stop(context, parts)
        _start(context, parts)


def stop(names: Sequence[str]) -> None:
    with locked(current_layout()):
        _stop(*_selected(names))


def start(names: Sequence[str]) -> None:
    with locked(current_layout()):
        _start(*_selected(names))


def pid(name: str) -> int:
    """The process id supervisor holds; raises when the part does not run."""
    context, _ = _selected([name])
    found = Control(context).state(name).pid
    if not found:
        message = f"{name} does not run."
        raise StackError(message)
    return found


def _selected(names: Sequence[str]) -> tuple[Context, list[Part]]:
    context = running_context()
    if context is None or not Control(context).alive():
        message = f"{current_layout().instance} is not up."
        raise StackError(message)
    everything = all_parts(context)
    wanted = set(names) or {part.name for part in everything if part.name not in INFRA}
    unknown = wanted - {part.name for part in everything}
    if unknown:
        message = f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(p.name for p in everything)}."
        raise StackError(message)
    write_environments(context)
    write_configuration(context, everything)
    Control(context).reread()
    return context, [part for part in everything if part.name in wanted]


def _stop(context: Context, parts: Sequence[Part]) -> None:
    control = Control(context)
    for part in parts:
        control.begin_stop(part.name)
    for part in parts:
        control.stop(part.name)


def _start(context: Context, parts: Sequence[Part]) -> None:
    report = Report()
    run_steps([Step(name=p.name, act=partial(bring_up, context, p, report)) for p in parts], at_once=len(parts))
