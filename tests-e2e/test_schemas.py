"""Every service against its own OpenAPI: made-up requests never crash it, and every answer is one it documents.

Requests go to the service itself, with a real token of somebody who is also an operator, so that what is tested is its
own parsing and not the gateway's, on every route.
"""

import asyncio
import json
import subprocess
import sys

import people
import pytest
import pytest_asyncio
from demo.facts import CHECKOUT, service_environment
from demo.services import SERVICES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

# DELETE is left out: it would end the session, or the person, that the token belongs to.
# The document cannot say which characters a text must not have, nor that a cursor is signed. A missing If-Match is
# 412 here, where schemathesis knows 428.
CONFIGURATION = """
[checks]
positive_data_acceptance.enabled = false
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429]
missing_required_header.expected-statuses = [400, 401, 403, 406, 412, 415, 422]
"""
EXAMPLES = 4


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def runs(api, tmp_path_factory):
    """A run against each service; two at a time, for one keeps one core busy."""
    free = asyncio.Semaphore(2)

    async def run(service):
        async with free:
            operator = await people.operator(api)
            return await asyncio.to_thread(fuzz, service, tmp_path_factory.mktemp(service), operator.access_token)

    tasks = {service: asyncio.create_task(run(service)) for service in SERVICES}
    yield tasks
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("service", SERVICES)
async def test_answers_are_as_documented(runs, service):
    done = await runs[service]
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def fuzz(service, tmp_path, token):
    """Run schemathesis against a running service."""
    document = tmp_path / "openapi.json"
    document.write_bytes(
        subprocess.run([sys.executable, "-m", service, "openapi"], check=True, capture_output=True).stdout
    )
    assert json.loads(document.read_bytes())["paths"]
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    port = service_environment(service)[f"{service.upper()}_HTTP_PORT"]
    return subprocess.run(
        [
            str(CHECKOUT / ".venv" / "bin" / "schemathesis"),
            f"--config-file={configuration}",
            "run",
            str(document),
            f"--url=http://127.0.0.1:{port}",
            f"--header=Authorization: Bearer {token}",
            "--phases=coverage,fuzzing",
            f"--max-examples={EXAMPLES}",
            "--generation-deterministic",
            "--suppress-health-check=too_slow",
            "--exclude-method=DELETE",
            "--continue-on-failure",
            "--warnings=off",
            "--no-color",
        ],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
