"""Topics and ACLs as code: `python -m contracts apply`, when the files or the broker changed since the last time."""

from __future__ import annotations

import hashlib

from registry.reading import FILE
from stack.context import Context
from stack.environment import infra_environment
from stack.run import run_python


def applied(context: Context) -> bool:
    stamp = context.layout.data / "kafka" / "topics.sha256"
    return stamp.exists() and stamp.read_text(encoding="ascii") == _digest(context)


def apply(context: Context) -> None:
    """Create and alter what the files say. The stamp lies in Kafka's own directory, so it goes when that goes."""
    run_python(context, "topics", ("-m", "contracts", "apply"), environment=infra_environment(context))
    (context.layout.data / "kafka" / "topics.sha256").write_text(_digest(context), encoding="ascii")


def _digest(context: Context) -> str:
    digest = hashlib.sha256()
    checkout = context.layout.checkout
    files = (checkout / "deploy" / "kafka" / "defaults.yaml", *(service.root / FILE for service in context.services))
    for path in files:
        digest.update(path.relative_to(checkout).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
