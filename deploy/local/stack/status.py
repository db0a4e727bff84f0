"""Shows the parts of one instance: state, process, address, log. Exit code 0 only when all of them answer."""

from __future__ import annotations

import time

from stack import orphans
from stack.catalogue import all_parts
from stack.control import Control
from stack.instance import running_context
from stack.layout import current_layout
from stack.part import Part

NOT_UP = 3


def status() -> int:
    context = running_context()
    control = Control(context) if context else None
    if context is None or control is None or not control.alive():
        return _without_supervisor()
    states = control.states()
    all_well = True
    for part in all_parts(context):
        state = states.get(part.name)
        if state is None:
            continue
        word = _word(part, up=state.up, state=state.state)
        all_well = all_well and word == "ready"
        age = f"{int(time.time()) - state.started_unix_s} s" if state.pid else "-"
        print(f"  {part.name:<14} {word:<10} pid {state.pid or '-':<8} {age:>8}   {part.wish}")
    print(f"logs: {context.layout.logs}")
    return 0 if all_well else NOT_UP


def _without_supervisor() -> int:
    """Nothing is watched; but what supervisor left behind when it was killed may run on."""
    layout = current_layout()
    left = orphans.orphans(layout)
    if left:
        print(f"{layout.instance} runs without its supervisor: {len(left)} processes ({orphans.summary(left)})")
        print("`make down` ends them; `make up` ends them and starts anew")
    else:
        print(f"{layout.instance} is not up")
    return NOT_UP


def _word(part: Part, *, up: bool, state: str) -> str:
    if not up:
        return state.lower()
    return "ready" if part.ready() else "not ready"
