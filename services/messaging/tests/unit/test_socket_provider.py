"""The socket with a provider that is not chat: what is its own, and what it leaves to whoever streams something."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import ClassVar, Literal

import orjson
import pytest

from chassis.http import Body
from chassis.tokens import Principal
from kernel.clock import SystemClock
from kernel.country import Country
from messaging.realtime.domain.websocket import Opcode, payloads_of
from messaging.realtime.socket.channels import Channels
from messaging.realtime.socket.connection import Connection
from messaging.realtime.socket.frames import AuthFrame, PingFrame, Ref, server_frame
from messaging.realtime.socket.hints import EphemeralFrame, pack_ephemeral, pack_items
from messaging.realtime.socket.hub import Hub, Streams
from messaging.realtime.socket.node import Node
from messaging.realtime.socket.people import People
from messaging.realtime.socket.spawning import Spawner
from messaging.realtime.socket.streams import Item, StreamKind
from testkit.wait import eventually

PERSON, WALLET = uuid.uuid4(), uuid.uuid4()


class WalletPosition(Body):
    seq: int


class WalletAuthFrame(AuthFrame[WalletPosition]):
    """The first frame."""


class BalanceFrame(Body):
    type: Literal["balance"]
    ref: Ref | None = None


class Wallets:
    """A provider: a stream for each wallet, whose stored events are its seqs, and a frame that asks for its balance."""

    models: ClassVar = {"auth": WalletAuthFrame, "ping": PingFrame, "balance": BalanceFrame}
    runners = ()
    ready: ClassVar = {"wallet_id": str(WALLET)}

    def __init__(self, stored=5):
        self.stored, self.calls = stored, []
        self.rest = asyncio.Event()
        self.rest.set()
        self.kind = StreamKind(
            channel="test:wallet:",
            read=self.read,
            positions=self.positions,
            too_old=lambda *where: server_frame("wallet.too_old", where=where),
            withheld=lambda payload: payload,
        )
        self.streams = Streams(self.kind, Channels(), asyncio.Semaphore(1))

    @property
    def takes(self):
        return {"balance": lambda connection, frame: connection.write(server_frame("balance", ref=frame.ref, amount=7))}

    async def read(self, key, after_seq, limit):
        assert key == WALLET
        return [moved(seq) for seq in range(after_seq + 1, min(self.stored, after_seq + limit) + 1)]

    async def positions(self, keys):
        return dict.fromkeys(keys, self.stored)

    async def start(self, user_id, resume):
        self.calls.append(("start", user_id))
        self.position = self.stored if resume is None else resume.seq
        return self

    def follow(self, connection):
        feed = self.streams.feed(WALLET, last_seq=self.stored, on_item=lambda *_: None)
        connection.feeds.add(feed)
        feed.join(connection, self.position, self.stored)

    async def follow_rest(self, connection, resume, ref):
        await self.rest.wait()
        connection.resume(ref)

    async def resume(self, connection, resume, ref):
        await asyncio.sleep(0.01 if ref == "slow" else 0)
        self.calls.append(("resumed", ref))
        connection.resume(ref)

    def standing(self, connection):
        return self.ready

    def arrived(self, user_id):
        self.calls.append(("arrived", user_id))

    def departed(self, user_id):
        self.calls.append(("departed", user_id))

    def detached(self, connection):
        pass

    def heard(self, channel, message):
        raise ValueError(channel)


class Wire:
    """A transport that remembers."""

    def __init__(self):
        self.said, self.has_fin, self.aborted = [], False, False

    def write(self, data):
        if data[0] & 0x0F == Opcode.TEXT:
            self.said.extend(orjson.loads(each) for each in payloads_of(data))

    def is_closing(self):
        return self.has_fin

    def get_write_buffer_size(self):
        return 100 if self.has_fin else 0

    def abort(self):
        self.aborted = True

    def kinds(self):
        return [each["type"] for each in self.said]


def moved(seq):
    return Item(seq, server_frame("wallet.moved", seq=seq), "wallet.moved")


class Verifier:
    async def verify(self, token):
        expires_at = datetime.now(UTC) + timedelta(minutes=5)
        return Principal(uuid.UUID(token), uuid.uuid4(), Country.TH, 0, frozenset(), None, "t", expires_at)


LIMITS = SimpleNamespace(
    realtime_heartbeat_s=30.0,
    realtime_auth_timeout_s=10.0,
    realtime_connections_per_user=5,
    realtime_connections_max=100,
    realtime_frames_per_s=10.0,
    realtime_frames_burst=50,
    realtime_origins="",
)


def node_of(provider):
    return Node(
        name="n-1",
        limits=LIMITS,
        redis=None,
        clock=SystemClock(),
        channels=Channels(),
        hub=Hub(provider.streams),
        people=People(per_person_max=5),
        spawner=Spawner(),
        provider=provider,
        verifier=Verifier(),
        revocations=SimpleNamespace(is_revoked=lambda _: False),
        tickets=None,
    )


def connected(node):
    wire = Wire()
    return Connection(node, wire, 50.0), wire


async def authenticated(node, connection, **auth):
    node.frame(connection, orjson.dumps({"type": "auth", "token": str(PERSON), **auth}))
    await node._spawner.finish(1)


@pytest.fixture
def provider():
    return Wallets()


async def test_it_replays_from_a_position_then_is_live(provider):
    node = node_of(provider)
    connection, wire = connected(node)
    await authenticated(node, connection, resume={"seq": 2}, ref="r1")
    await asyncio.sleep(0.05)
    provider.streams.give(WALLET, [moved(6)])
    assert wire.said[0]["wallet_id"] == str(WALLET)
    assert [each.get("seq") for each in wire.said if each["type"] == "wallet.moved"] == [3, 4, 5, 6]
    assert wire.kinds().index("resumed") > wire.kinds().index("wallet.moved")
    await node.close()


async def test_frames_go_to_their_provider_once_it_is_known_whose_the_connection_is(provider):
    node = node_of(provider)
    connection, wire = connected(node)
    node.frame(connection, b'{"type":"auth","token":"%s"}' % str(PERSON).encode())
    node.frame(connection, b'{"type":"balance","ref":"b1"}')
    node.frame(connection, b'{"type":"send","ref":"b2"}')
    node.frame(connection, b'{"type":"ping","ref":"p1"}')
    await node._spawner.finish(1)
    assert [(each["type"], each.get("ref")) for each in wire.said[1:]] == [
        ("balance", "b1"),
        ("error", "b2"),
        ("pong", "p1"),
    ]
    await node.close()


async def test_who_comes_and_goes_is_said_once_a_person(provider):
    node = node_of(provider)
    both = [connected(node)[0] for _ in range(2)]
    for connection in both:
        await authenticated(node, connection)
    for connection in both:
        connection.close(1000)
        connection.connection_lost(None)
    assert [call for call in provider.calls if call[0] != "start"] == [("arrived", PERSON), ("departed", PERSON)]
    assert provider.streams.feeds == {}
    await node.close()


async def test_hints_of_its_streams_are_given_and_what_is_no_hint_is_nothing(provider):
    node = node_of(provider)
    connection, wire = connected(node)
    await authenticated(node, connection)
    channel = f"test:wallet:{WALLET}"
    node._heard(channel, pack_items("n-2", [moved(6)]))
    node._heard(channel, pack_items("n-1", [moved(6)]))
    node._heard(channel, pack_ephemeral("n-2", EphemeralFrame(b'{"type":"blink"}')))
    node._heard(channel, pack_ephemeral("n-2", EphemeralFrame(b'{"type":"not for them"}', frozenset({uuid.uuid4()}))))
    node._heard(channel, pack_ephemeral("n-1", EphemeralFrame(b'{"type":"own"}')))
    node._heard(channel, b"nonsense")
    node._heard("test:wallet:nonsense", b"{}")
    node._heard("test:other", b"{}")
    assert wire.kinds() == ["ready", "wallet.moved", "blink"]
    await node.close()


async def test_each_answer_follows_the_one_asked_for_before_and_each_ref_is_answered(provider):
    node = node_of(provider)
    connection, wire = connected(node)
    await authenticated(node, connection)
    for ref in ("slow", "quick", "last"):
        node.frame(connection, orjson.dumps({"type": "auth", "token": str(PERSON), "resume": {"seq": 1}, "ref": ref}))
    await eventually(lambda: wire.kinds().count("resumed") == 3)
    assert [each["ref"] for each in wire.said if each["type"] == "resumed"] == ["slow", "quick", "last"]
    await eventually(lambda: connection.turn is None)
    await node.close()


async def test_two_resumes_that_wait_are_both_answered(provider):
    node = node_of(provider)
    connection, wire = connected(node)
    await authenticated(node, connection)
    one, other = (provider.streams.feed(uuid.uuid4(), last_seq=5, on_item=lambda *_: None) for _ in range(2))
    for feed, ref in ((one, "r1"), (other, "r2")):
        connection.feeds.add(feed)
        feed.join(connection, 4, 5)
        connection.resume(ref)
    assert "resumed" not in wire.kinds()
    one.fill([moved(5)])
    assert wire.said[-1] == {"type": "resumed", "ref": "r1"}
    other.fill([moved(5)])
    assert wire.said[-1] == {"type": "resumed", "ref": "r2"}
    await node.close()


async def test_words_that_are_refused_end_nothing_and_frames_nobody_knows_do(provider):
    node = node_of(provider)
    connection, wire = connected(node)
    await authenticated(node, connection)
    for _ in range(30):
        node.frame(connection, b'{"type":"balance","ref":7}')
    assert (wire.kinds().count("error"), connection.is_open) == (30, True)
    for _ in range(30):
        node.frame(connection, b'{"type":"dance"}')
    assert not connection.is_open
    await node.close()


async def test_frames_that_waited_for_auth_are_taken_before_those_that_come_after_it(provider):
    node = node_of(provider)
    connection, wire = connected(node)
    provider.rest.clear()
    node.frame(connection, b'{"type":"auth","token":"%s","resume":{"seq":5}}' % str(PERSON).encode())
    node.frame(connection, b'{"type":"balance","ref":"1"}')
    await eventually(lambda: connection.pending is None)
    node.frame(connection, b'{"type":"balance","ref":"2"}')
    provider.rest.set()
    await eventually(lambda: "resumed" in wire.kinds())
    assert [each["ref"] for each in wire.said if each["type"] == "balance"] == ["1", "2"]
    await node.close()


async def test_whoever_has_gone_is_answered_no_more(provider):
    node = node_of(provider)
    connection, _ = connected(node)
    await authenticated(node, connection)
    for ref in ("slow", "late"):
        node.frame(connection, orjson.dumps({"type": "auth", "token": str(PERSON), "resume": {"seq": 1}, "ref": ref}))
    await asyncio.sleep(0)
    connection.close(1000)
    await node._spawner.finish(1)
    assert ("resumed", "late") not in provider.calls
    await node.close()


@pytest.mark.parametrize("way", ["swept", "replaced"])
async def test_a_client_that_has_said_fin_and_does_not_read_is_closed_all_the_same(provider, way):
    """The transport says that it is closing, and does not close while bytes wait for the client."""
    node = node_of(provider)
    connection, wire = connected(node)
    node.opened(connection)
    await authenticated(node, connection)
    wire.has_fin = True
    if way == "swept":
        connection.heard_at -= 1000
        await node._sweeper.step()
    else:
        others = [connected(node)[0] for _ in range(5)]
        for each in others:
            await authenticated(node, each)
        assert list(node.people.connections_of(PERSON)) == others
    assert not connection.is_open
    assert connection.feeds == set()
    connection.overdue()
    assert wire.aborted
    await node.close()


def test_a_frame_without_a_model_or_without_a_take_is_found_at_once(provider):
    provider.models = {"auth": WalletAuthFrame, "ping": PingFrame}
    with pytest.raises(ValueError, match="balance"):
        node_of(provider)
