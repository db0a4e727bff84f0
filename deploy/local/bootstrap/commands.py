"""The commands: `sync` prepares the machine and the environment, `browser` adds what the browser's tests need,
`validators` what checks the API's documents, `lock` chooses versions anew.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bootstrap import debian, kafka_archive, kafka_jars, node_packages, python_packages
from bootstrap.checkout import BootstrapError, one_at_a_time
from stack.engine import docker_is_used


def run(words: Sequence[str]) -> int:
    try:
        with one_at_a_time():
            match list(words):
                case ["sync"]:
                    _sync()
                case ["browser"]:
                    debian.install_browser()
                case ["validators"]:
                    node_packages.sync()
                case ["lock", *options] if set(options) <= {"--upgrade"}:
                    debian.install_missing(with_servers=False, with_maven=False)
                    python_packages.lock(upgrade="--upgrade" in options)
                    node_packages.lock()
                case _:
                    print("usage: python3 -m bootstrap sync | browser | validators | lock [--upgrade]", file=sys.stderr)
                    return 2
    except BootstrapError as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbootstrap: interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    return 0


def _sync() -> None:
    servers = not docker_is_used()
    debian.install_missing(with_servers=servers, with_maven=servers and not kafka_jars.present())
    python_packages.sync()
    if servers:
        kafka_jars.fetch()
        kafka_archive.write()
