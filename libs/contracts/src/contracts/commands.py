"""The commands behind ``python -m contracts``. Each returns an exit code: 0 well, 1 broken, 3 differs."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from contracts import breaking, catalogue, golden, protoc, reason_files
from contracts.cluster import ClusterConfig
from contracts.consistency import inconsistencies
from contracts.folders import NoCheckoutError, catalogue_folder, checkout, golden_folder
from contracts.registry import record_types
from contracts.topics import TopicsFileError, load_topics

WELL, BROKEN, DIFFERS, BAD_SETTING = 0, 1, 3, 78
Command = Callable[[argparse.Namespace], int]


class SettingError(ValueError):
    """A variable of the environment is missing or wrong."""


def main(argv: Sequence[str]) -> int:
    arguments = _parser().parse_args(argv)
    command: Command = arguments.run
    try:
        return command(arguments)
    except SettingError as error:
        return _say(BAD_SETTING, [str(error)])
    except (
        protoc.CompilerError,
        breaking.BufMissingError,
        NoCheckoutError,
        TopicsFileError,
        reason_files.ReasonsFileError,
    ) as error:
        return _say(BROKEN, [str(error)])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m contracts", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command, summary: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=summary, description=summary)
        made.set_defaults(run=run)
        return made

    generate = add("generate", _generate, "Make the Python of proto-events.")
    generate.add_argument("--check", action="store_true", help="only say what is out of date; exit 3 if anything is")
    reasons = add("reasons", _reasons, "Publish the services' reasons.toml.")
    reasons.add_argument("--check", action="store_true", help="only say whether it is out of date; exit 3 if it is")
    pages = add("catalogue", _catalogue, "Write docs/events.")
    pages.add_argument("--check", action="store_true", help="only say what is out of date; exit 3 if anything is")
    add("golden", _golden, "Add golden files of new record types; existing ones are never touched.")
    add("baseline", _baseline, "Declare today's contracts published: what `breaking` compares with.")
    add("breaking", _breaking, "Compare with the baseline; exit 3 and name each broken promise.")
    add("check", _check, "Everything above that can be out of step, and topics against record types.")
    apply = add("apply", _apply, "Create and alter topics and grants on a cluster; report drift.")
    apply.add_argument("--dry-run", action="store_true", help="only say what would be done")
    apply.add_argument("--check", action="store_true", help="as --dry-run, and exit 3 if there is anything")
    apply.add_argument("--prefix", default=os.environ.get("KAFKA_TOPIC_PREFIX", ""), help="put before every name")
    apply.add_argument("--checkout", type=Path, help="whose services' topics, instead of this one's")
    apply.add_argument("--grow", action="store_true", help="add partitions; keys move to others")
    apply.add_argument("--prune", action="store_true", help="take away grants that are not declared")
    return parser


def _generate(arguments: argparse.Namespace) -> int:
    if arguments.check:
        return _differences(f"{path} differs; run python -m contracts generate" for path in protoc.drift())
    protoc.generate()
    return WELL


def _reasons(arguments: argparse.Namespace) -> int:
    path, text = reason_files.made_file(), reason_files.made_text()
    if arguments.check:
        differs = not path.exists() or path.read_text(encoding="utf-8") != text
        return _differences([f"{path.name} differs; run python -m contracts reasons"] if differs else [])
    path.write_text(text, encoding="utf-8")
    return WELL


def _catalogue(arguments: argparse.Namespace) -> int:
    pages = catalogue.render_pages(
        catalogue.build_catalogue(protoc.descriptors(), load_topics(), reason_files.gathered_reasons(checkout()))
    )
    folder = catalogue_folder()
    if arguments.check:
        stale = catalogue.stale_pages(pages, folder)
        return _differences(f"docs/events/{name} differs; run python -m contracts catalogue" for name in stale)
    catalogue.write_pages(pages, folder)
    return WELL


def _golden(_: argparse.Namespace) -> int:
    for name in golden.write_golden(golden_folder()):
        print(f"added {name}")  # noqa: T201 -- a command talks
    return WELL


def _baseline(_: argparse.Namespace) -> int:
    breaking.write_baseline()
    return WELL


def _breaking(_: argparse.Namespace) -> int:
    return _differences(breaking.breaking_changes())


def _check(_: argparse.Namespace) -> int:
    only_check = argparse.Namespace(check=True)
    declared = _differences(inconsistencies(record_types(), load_topics()))
    made = max(_generate(only_check), _reasons(only_check), _catalogue(only_check))
    return max(made, _breaking(only_check), declared)


def _apply(arguments: argparse.Namespace) -> int:
    from confluent_kafka import KafkaException  # noqa: PLC0415 -- only this command needs a Kafka client

    from contracts.apply import NotSettledError, apply_topics  # noqa: PLC0415

    try:
        plan = asyncio.run(
            apply_topics(
                cluster_config(os.environ),
                prefix=arguments.prefix,
                folder=arguments.checkout,
                dry_run=arguments.dry_run or arguments.check,
                grow=arguments.grow,
                prune=arguments.prune,
            )
        )
    except KafkaException as error:
        return _say(BROKEN, [f"Kafka: {error.args[0].str()}", *getattr(error, "__notes__", [])])
    except NotSettledError as error:
        return _say(BROKEN, [f"Kafka: {error}"])
    for line in plan.lines():
        print(line)  # noqa: T201
    return DIFFERS if arguments.check and not plan.empty else WELL


def cluster_config(environ: Mapping[str, str]) -> ClusterConfig:
    """The administrator's connection from ``KAFKA_*``. Raises ``SettingError`` that names the variable."""
    bootstrap = environ.get("KAFKA_BOOTSTRAP")
    if not bootstrap:
        raise SettingError("KAFKA_BOOTSTRAP is not set: host:port of a broker")
    username = environ.get("KAFKA_USERNAME") or environ.get("KAFKA_ADMIN_USERNAME")
    password = environ.get("KAFKA_PASSWORD") or environ.get("KAFKA_ADMIN_PASSWORD")
    if username and not password:
        raise SettingError("KAFKA_PASSWORD is not set, but a user name is")
    return ClusterConfig(
        bootstrap=bootstrap,
        username=username,
        password=password,
        mechanism=environ.get("KAFKA_SASL_MECHANISM", "SCRAM-SHA-256"),
        tls=environ.get("KAFKA_TLS", "") in {"1", "true"},
    )


def _differences(sentences: Iterable[str]) -> int:
    found = list(sentences)
    return _say(DIFFERS if found else WELL, found)


def _say(code: int, sentences: Iterable[str]) -> int:
    for sentence in sentences:
        print(sentence, file=sys.stderr)  # noqa: T201 -- a command talks
    return code
