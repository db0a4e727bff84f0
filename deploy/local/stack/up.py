"""Starts what does not run yet, in the order the parts need each other, and waits until each answers.

A second run finds everything as it should be and changes nothing. A part that fails ends the command with its name
and its log; what is up by then stays up, for a look, and `down` stops it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from registry import Service
from stack import migrations, orphans, topics
from stack.catalogue import all_parts
from stack.context import Context
from stack.control import Control
from stack.environment import write_environments
from stack.instance import locked, wanted_context
from stack.layout import current_layout
from stack.part import Part
from stack.ports import keep_ports, require_free
from stack.report import Report
from stack.start import bring_up
from stack.steps import Step, run_steps
from stack.supervision import write_configuration

STEPS_AT_ONCE = 8


def up(*, only_infra: bool) -> None:
    layout = current_layout()
    report = Report()
    with locked(layout):
        context = wanted_context()
        write_environments(context)
        everything = all_parts(context)
        parts = [part for part in everything if part.kind == "infra" or not only_infra]
        _supervise(context, everything, parts, report)
        states = Control(context).states()
        idle = [part for part in parts if not states[part.name].up]
        if not idle and all(part.ready() for part in parts) and (only_infra or _settled(context)):
            report.say(f"{layout.instance} is up already ({report.elapsed_s:.1f} s)")
            return
        require_free(context.ports, [port for part in idle for port in part.ports])
        steps = [Step(name=part.name, act=partial(bring_up, context, part, report), needs=part.needs) for part in parts]
        if not only_infra:
            steps += _schema_steps(context, report)
        run_steps(steps, at_once=STEPS_AT_ONCE)
        report.say(f"{layout.instance} is up in {report.elapsed_s:.1f} s")


def _supervise(context: Context, everything: Sequence[Part], wanted: Sequence[Part], report: Report) -> None:
    """Have a supervisor that knows every part as it is rendered now. Launched only when the ports are free."""
    control = Control(context)
    if control.alive():
        write_configuration(context, everything)
        control.reread()
        return
    left = orphans.end(context.layout)
    if left:
        report.line("orphans", f"ended {len(left)} left by an earlier run: {orphans.summary(left)}")
    require_free(context.ports, ["supervisor", *(port for part in wanted for port in part.ports)])
    keep_ports(context.layout, context.ports)
    write_configuration(context, everything)
    control.launch()


def _settled(context: Context) -> bool:
    """Whether schemas and topics need nothing."""
    at_head = migrations.at_head(context, context.services)
    return topics.applied(context) and all(service.name in at_head for service in context.services)


def _schema_steps(context: Context, report: Report) -> list[Step]:
    at_head: set[str] = set()

    def compare() -> None:
        at_head.update(migrations.at_head(context, context.services))

    def migrate(service: Service) -> None:
        if service.name not in at_head:
            migrations.migrate(context, service)
            report.line("migrations", f"{service.name} brought to head")

    def apply_topics() -> None:
        if not topics.applied(context):
            topics.apply(context)
            report.line("topics", "applied")

    return [
        Step(name="topics", act=apply_topics, needs=("kafka",)),
        Step(name="migrations", act=compare, needs=("postgres",)),
        *(
            Step(name=f"migrate {service.name}", act=partial(migrate, service), needs=("migrations",))
            for service in context.services
        ),
    ]
