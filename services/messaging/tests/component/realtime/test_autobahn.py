"""Autobahn's cases of RFC 6455 against our handshake, reader and connection, with a node that sends back what it gets.

What is left out differs by design: our frames are text (binary ones: 1.2, 9.2, 9.4, 9.6, 9.8), of at most 64 KiB (the
rest of 9 but 9.1.1 and 9.7), and compression is never agreed on (12, 13). ``test_websocket.py`` holds those refusals.
"""

from types import SimpleNamespace

import pytest
from aiohttp import web
from kosoku import FailureError, run_fuzzingclient

from chassis.http.server import ServerRunner
from messaging.realtime.domain.codes import Close
from messaging.realtime.domain.websocket import text_frame
from messaging.realtime.socket.upgrade import Upgrade

CASES = ["1.1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.1.1", "9.7.*", "10.*"]
# Text that is not UTF-8 is read as a whole, and closed with 4400 as any frame that cannot be read; Autobahn would have
# it refused at its first wrong byte (which the RFC leaves open), and with 1007.
NOT_UTF8 = ("6.3.", "6.4.", "6.6.", "6.8.", *(f"6.{group}." for group in range(10, 22)))


class Echo:
    """What ``Upgrade`` and its connections ask of a node."""

    limits = SimpleNamespace(realtime_origins="", realtime_frames_burst=1e9, realtime_connections_max=1000)
    draining, people = False, ()

    def frame(self, connection, raw):
        try:
            raw.decode()
        except UnicodeDecodeError:
            connection.close(Close.MALFORMED)
        else:
            connection.write(text_frame(raw))

    def spend(self, _):
        return True

    def nothing(self, *_):
        """Nobody watches."""

    opened = detach = gone = left = roomy = nothing


@pytest.fixture
async def url():
    app = web.Application()
    app.router.add_get("/", Upgrade(Echo()).handle)
    runner = ServerRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield "ws://127.0.0.1:{1}/".format(*runner.addresses[0])
    await runner.cleanup()


async def test_autobahns_cases_pass(url):
    try:
        results = await run_fuzzingclient(url, cases=CASES, concurrency=8)
    except FailureError as failure:
        results = failure.results
    assert len(results) > 240
    departs = {
        each.case_id: (each.behavior.value, each.behavior_close.value)
        for each in results
        if each.behavior.value != "INFORMATIONAL"
        and (each.behavior.value, each.behavior_close.value) != ("OK", "OK")
        and not each.case_id.startswith(NOT_UTF8)
    }
    assert departs == {}
    of_bytes = [each for each in results if each.case_id.startswith(NOT_UTF8)]
    assert {each.behavior.value for each in of_bytes} <= {"OK", "NON-STRICT"}
    assert {each.remote_close_code for each in of_bytes if each.behavior_close.value != "OK"} == {Close.MALFORMED}
