"""Apache Kafka: one KRaft node on loopback, one SCRAM user per service, nothing allowed without an ACL.

Topics and ACLs are files under `deploy/kafka`, applied by `python -m contracts apply`; the broker never creates one.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from stack import probe
from stack.context import Context
from stack.failure import StackError
from stack.java import find_java
from stack.layout import private_write
from stack.part import Part
from stack.supervision import tool_environment

ADMIN = "admin"
MECHANISM = "SCRAM-SHA-256"
CONTROLLER_MECHANISM = "PLAIN"  # KRaft's quorum comes up before there are SCRAM records to read
HEAP_MAX = "512m"


def kafka(context: Context) -> Part:
    data = context.layout.data / "kafka"
    properties, logging = context.layout.conf / "kafka.properties", context.layout.conf / "kafka-log4j2.xml"

    def prepare() -> None:
        private_write(properties, _properties(context, data))
        private_write(logging, LOGGING)
        if not (data / "meta.properties").exists():
            _format(context, properties, data)

    return Part(
        name="kafka",
        kind="infra",
        command=(
            "/bin/sh",
            str(context.layout.checkout / "deploy" / "local" / "kafka" / "run.sh"),
            str(context.layout.kafka_jars / "kafka.jsa"),
            *_java(context, HEAP_MAX),
            "-Xms256m",
            f"-Djava.io.tmpdir={context.layout.run}",
            f"-Dlog4j2.configurationFile={logging.as_uri()}",
            "kafka.Kafka",
            str(properties),
        ),
        directory=context.layout.data,
        ports=("kafka", "kafka_controller"),
        prepare=prepare,
        ready=lambda: probe.answers_kafka(context.ports["kafka"]),
        finish=lambda: _update_users(context, data),
        stop_timeout_s=30,
        wish=f"127.0.0.1:{context.ports['kafka']}",
    )


def _java(context: Context, heap_max: str) -> tuple[str, ...]:
    java = find_java()
    if java is None:
        message = "Java 17 or newer is not installed; `make sync` installs it."
        raise StackError(message)
    jars = str(context.layout.kafka_jars / "*")
    return (java, f"-Xmx{heap_max}", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Djava.awt.headless=true", "-cp", jars)


def _users(context: Context) -> dict[str, str]:
    names = (ADMIN, *(service.name for service in context.services))
    return {name: context.passwords[f"kafka-{name}"] for name in names}


def _users_digest(context: Context) -> str:
    return hashlib.sha256(repr(sorted(_users(context).items())).encode()).hexdigest()


def _format(context: Context, properties: Path, data: Path) -> None:
    """Write the node's metadata and its users. A half-formatted directory has no records yet, so it is made anew."""
    if data.exists():
        shutil.rmtree(data)
    data.mkdir(parents=True)
    cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
    arguments = context.layout.run / "kafka-format.args"
    lines = ["format", "--standalone", "-t", cluster_id, "-c", str(properties)]
    for name, password in _users(context).items():
        lines += ["--add-scram", f"{MECHANISM}=[name={name},password={password}]"]
    private_write(arguments, "\n".join(lines) + "\n")
    try:
        _run_tool(context, "formatting Kafka's directory", "kafka.tools.StorageTool", f"@{arguments}")
    except StackError:
        shutil.rmtree(data)
        raise
    finally:
        arguments.unlink()
    (data / "users.sha256").write_text(_users_digest(context), encoding="ascii")


def _update_users(context: Context, data: Path) -> None:
    """Give every service its login when services were added since the directory was made."""
    stamp, digest = data / "users.sha256", _users_digest(context)
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return
    client = context.layout.conf / "kafka-admin.properties"
    admin = context.passwords[f"kafka-{ADMIN}"]
    login = f'org.apache.kafka.common.security.scram.ScramLoginModule required username="{ADMIN}" password="{admin}";'
    private_write(
        client,
        f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism={MECHANISM}\nsasl.jaas.config={login}\n",
    )
    for name, password in _users(context).items():
        credentials = context.layout.run / "kafka-user.properties"
        private_write(credentials, f"{MECHANISM}=password={password}\n")
        _run_tool(
            context,
            f"making Kafka user {name}",
            "kafka.admin.ConfigCommand",
            *("--bootstrap-server", f"127.0.0.1:{context.ports['kafka']}", "--command-config", str(client)),
            *("--alter", "--entity-type", "users", "--entity-name", name, "--add-config-file", str(credentials)),
        )
        credentials.unlink()
    stamp.write_text(digest, encoding="ascii")


def _run_tool(context: Context, doing: str, *command: str) -> None:
    result = subprocess.run(
        [*_java(context, "128m"), "-XX:TieredStopAtLevel=1", *command],
        env=tool_environment(context),  # its locale is UTF-8, in which Java reads the checkout's path
        cwd=context.layout.data,
        check=False,
        capture_output=True,
        text=True,
    )
    if result.returncode != 0:
        message = f"{doing}: {result.stderr.strip() or result.stdout.strip()}"
        raise StackError(message)


def _properties(context: Context, data: Path) -> str:
    client, controller = context.ports["kafka"], context.ports["kafka_controller"]
    admin = context.passwords[f"kafka-{ADMIN}"]
    login = f'username="{ADMIN}" password="{admin}"'
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
        "listeners": f"CLIENT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        "sasl.mechanism.controller.protocol": CONTROLLER_MECHANISM,
        "listener.name.client.sasl.enabled.mechanisms": MECHANISM,
        "listener.name.client.scram-sha-256.sasl.jaas.config": (
            f"org.apache.kafka.common.security.scram.ScramLoginModule required {login};"
        ),
        "listener.name.controller.sasl.enabled.mechanisms": CONTROLLER_MECHANISM,
        "listener.name.controller.plain.sasl.jaas.config": (
            f'org.apache.kafka.common.security.plain.PlainLoginModule required {login} user_{ADMIN}="{admin}";'
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{ADMIN}",
        # Relative to where the broker runs: Java reads this file as Latin-1 and takes a comma for the end of a path.
        "log.dirs": data.name,
        "auto.create.topics.enable": "false",
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 8,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 2000,
        # After a kill -9 the node waits until its former self has timed out.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 1000,
        # Records of nothing, which tell other nodes that the quorum lives: here there are none.
        "metadata.max.idle.interval.ms": 10_000,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "log.index.size.max.bytes": 1024 * 1024,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


LOGGING = """\
<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders>
    <Console name="stdout">
      <PatternLayout pattern="%d{yyyy-MM-dd HH:mm:ss,SSS} %p %m (%c{1})%n"/>
    </Console>
  </Appenders>
  <Loggers>
    <Logger name="kafka.server" level="INFO"/>
    <Root level="WARN"><AppenderRef ref="stdout"/></Root>
  </Loggers>
</Configuration>
"""
