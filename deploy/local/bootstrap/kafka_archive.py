"""A class archive for Kafka: it halves the broker's start and costs two thirds of the CPU.

Java writes it when a broker that ran once ends. So one runs here, empty and on ports of its own, for some seconds.
Without the archive Kafka runs as well, so a failure here is no failure.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bootstrap import kafka_jars
from bootstrap.checkout import BootstrapError, stamped, stamping
from stack.java import find_java

ARCHIVE = kafka_jars.JARS / "kafka.jsa"
STAMP = kafka_jars.JARS / "archive-made-for"
RUNS_TIMEOUT_S = 60.0
ENDS_TIMEOUT_S = 120.0


def write() -> None:
    """Write the archive unless there is one for these jars and this Java."""
    java = find_java()
    if java is None:
        return
    wanted = f"{kafka_jars.wanted()} {Path(java).resolve()}"
    if stamped(STAMP, wanted):
        return
    sys.stdout.write("  making Kafka start fast …")
    sys.stdout.flush()
    began = time.monotonic()
    with stamping(STAMP, wanted), contextlib.suppress(BootstrapError), tempfile.TemporaryDirectory() as folder:
        _run_once(java, Path(folder))
    print(f" {time.monotonic() - began:.1f} s")


def _run_once(java: str, folder: Path) -> None:
    properties = folder / "server.properties"
    properties.write_text(_properties(folder), encoding="utf-8")
    base = [java, "-Xmx256m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", str(kafka_jars.JARS / "*")]
    format_ = [*base, "kafka.tools.StorageTool", "format", "--standalone", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c"]
    subprocess.run([*format_, str(properties)], check=False, capture_output=True)
    fresh = folder / "kafka.jsa"
    command = [*base, f"-XX:ArchiveClassesAtExit={fresh}", "kafka.Kafka", str(properties)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_it_listens(process, _port(properties))
        process.terminate()
        process.wait(ENDS_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise BootstrapError("Kafka did not end") from None
    finally:
        process.kill()
        process.wait()
    if fresh.exists():
        shutil.move(fresh, ARCHIVE)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + RUNS_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise BootstrapError("Kafka did not start")


def _port(properties: Path) -> int:
    first = properties.read_text(encoding="utf-8").splitlines()[0]
    return int(first.rpartition(":")[2])


def _properties(folder: Path) -> str:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        client, controller = one.getsockname()[1], two.getsockname()[1]
    return (
        f"listeners=CONTROLLER://127.0.0.1:{controller},PLAINTEXT://127.0.0.1:{client}\n"
        "process.roles=broker,controller\nnode.id=1\ncontroller.listener.names=CONTROLLER\n"
        f"controller.quorum.bootstrap.servers=127.0.0.1:{controller}\n"
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
        "allow.everyone.if.no.acl.found=true\nsuper.users=User:ANONYMOUS\n"
        f"log.dirs={folder / 'data'}\n"
    )
