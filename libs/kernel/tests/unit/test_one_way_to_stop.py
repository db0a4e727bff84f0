"""Tasks are stopped by ``kernel.tasks`` alone: a bare cancel may be lost, and what waits for it then waits for ever."""

import re

import pytest

from testkit.infra import repository_root

CANCEL = re.compile(r"\.cancel\(\)")
THEIR_OWN = {
    "libs/kernel/src/kernel/tasks.py",  # this is it
    "libs/eventing/src/eventing/clients.py",  # ends a client's tasks at once, and waits for none
    "libs/chatclient/src/chatclient/client.py",  # knows nothing of ours; bounded by itself
    "libs/testkit/src/testkit/cancelling.py",  # cancels on purpose
    "libs/sandbox/src/sandbox/payments.py",  # a stand-in for somebody else's server
    "libs/sandbox/src/sandbox/webhooks.py",
}


def sources():
    root = repository_root()
    for pattern in ("libs/*/src/**/*.py", "services/*/src/**/*.py"):
        for path in root.glob(pattern):
            yield path.relative_to(root).as_posix(), path.read_text()


def test_nothing_else_cancels_a_task():
    found = {name for name, text in sources() if CANCEL.search(text)}
    assert found == THEIR_OWN


@pytest.mark.parametrize("line", ["waker.cancel()", "        task.cancel()"])
def test_a_bare_cancel_would_be_found(line):
    assert CANCEL.search(line)
