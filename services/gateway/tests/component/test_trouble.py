"""A service that is slow or gone, too many requests, upgrades, TLS, and leaving in peace."""

import asyncio
import datetime as dt
import io
import ipaddress
import os
import signal
import ssl
import sys
import time

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.table import load_table
from testkit.wait import eventually

pytestmark = pytest.mark.component
MIB = 1024 * 1024


def table_with(**changes):
    table = load_table()
    return type(table).model_validate(table.model_dump() | changes)


async def test_a_service_that_is_gone_is_a_503_problem(start_gateway, upstreams, tmp_path):
    nobody = {"GATEWAY_PAYMENT_PORT": 1, "GATEWAY_PAYMENT_OPS_PORT": 1}
    async with (
        start_gateway(tmp_path, upstreams, environ=nobody) as gateway,
        aiohttp.ClientSession(gateway.url) as client,
    ):
        for method in ("GET", "POST"):
            async with client.request(method, "/v1/wallets", headers=gateway.bearer()) as answer:
                assert (answer.status, (await answer.json())["code"]) == (503, "service.unavailable")
                assert answer.headers["retry-after"] == "2"
        async with client.get("/v1/orders", headers=gateway.bearer()) as answer:
            assert answer.status == 200


async def test_slow_answers_end_in_504_and_waiting_routes_wait_longer(start_gateway, upstreams, tmp_path):
    limits = load_table().limits.model_dump() | {"timeout_s": 1, "waiting_timeout_s": 30}
    async with (
        start_gateway(tmp_path, upstreams, table=table_with(limits=limits)) as gateway,
        aiohttp.ClientSession(gateway.url) as client,
    ):
        async with client.get("/v1/cart?act=sleep&s=2", headers=gateway.bearer()) as answer:
            assert (answer.status, (await answer.json())["code"]) == (504, "service.timeout")
        async with client.get("/v1/orders/1?act=sleep&s=2", headers=gateway.bearer()) as answer:
            assert answer.status == 200
        assert len(upstreams.requests_to("/v1/cart")) == 1


async def test_one_address_is_slowed_down_with_a_429_problem(start_gateway, upstreams, tmp_path):
    async with (
        start_gateway(tmp_path, upstreams, rate_per_address_per_s=10) as gateway,
        aiohttp.ClientSession(gateway.url) as client,
    ):

        async def ask():
            async with client.get("/v1/products") as answer:
                if answer.status == 429:
                    assert (await answer.json())["code"] == "request.rate.limited"
                    assert answer.headers["retry-after"] == "1"
                return answer.status

        statuses, began = [], time.monotonic()
        while statuses.count(429) < 20:  # a slow machine asks slowly: what comes in time is let through
            statuses += await asyncio.gather(*(ask() for _ in range(60)))
        assert 20 <= statuses.count(200) <= 20 + 10 * (time.monotonic() - began) + 1


async def test_a_route_may_take_larger_bodies_than_the_rest(start_gateway, upstreams, tmp_path):
    table = table_with(large_bodies={"/v1/orders": 3 * MIB})
    async with (
        start_gateway(tmp_path, upstreams, table=table) as gateway,
        aiohttp.ClientSession(gateway.url, headers=gateway.bearer()) as client,
    ):
        for path, size, status in (
            ("/v1/orders", 3 * MIB, 200),
            ("/v1/orders", 3 * MIB + 1, 413),
            ("/v1/cart", 2 * MIB, 413),
        ):
            async with client.post(path, data=io.BytesIO(bytes(size))) as answer:
                assert answer.status == status


async def test_a_websocket_passes_where_the_table_says_so(start_gateway, upstreams, tmp_path):
    owners = dict(load_table().owners) | {"/v1/realtime": "auth"}
    table = table_with(owners=owners, websocket=["GET /v1/realtime"])
    async with (
        start_gateway(tmp_path, upstreams, table=table) as gateway,
        aiohttp.ClientSession(gateway.url) as client,
    ):
        async with client.ws_connect("/v1/realtime") as socket:
            await socket.send_str("hello")
            assert await socket.receive_str(timeout=20) == "echo hello"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect("/v1/products")
        assert refused.value.status == 403
        async with client.get("/v1/realtime") as answer:
            assert answer.status == 401


async def test_tls_with_http2_and_hsts(start_gateway, upstreams, tmp_path, certificate):
    cert, key = certificate
    trusting = ssl.create_default_context(cafile=str(cert))
    modern = ssl.create_default_context(cafile=str(cert))
    modern.set_alpn_protocols(["h2", "http/1.1"])
    async with start_gateway(tmp_path, upstreams, tls_certificate_file=cert, tls_key_file=key) as gateway:
        async with aiohttp.ClientSession(gateway.url) as client, client.get("/v1/products", ssl=trusting) as answer:
            assert answer.status == 200
            assert "max-age" in answer.headers["strict-transport-security"]
        assert upstreams.requests_to("/v1/products")[-1]["headers"]["x-forwarded-proto"] == "https"
        port = int(gateway.url.rsplit(":", maxsplit=1)[1])
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=modern, server_hostname="localhost")
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
        writer.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_path, key_path


async def test_sigterm_answers_what_is_under_way_before_it_ends(start_gateway, upstreams, tmp_path):
    async with start_gateway(tmp_path, upstreams) as rendered:
        pass
    environ = os.environ | {"GATEWAY_ADMIN_PORT": str(rendered.admin_port), "GATEWAY_DRAIN_S": "10"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "run", "-c", str(tmp_path / "envoy.yaml"),
        "--disable-hot-restart", "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "error",
        env=environ,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession(rendered.url) as client:

            async def healthy():
                async with client.get("/healthz") as answer:
                    return answer.status == 200

            await eventually(healthy, timeout_s=40)
            slow = asyncio.create_task(_status(client, "/v1/products/slow?act=sleep&s=2"))
            await eventually(lambda: upstreams.requests_to("/v1/products/slow"))
            process.send_signal(signal.SIGTERM)
            assert await slow == 200
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _status(client, path):
    async with client.get(path) as answer:
        return answer.status


async def test_spans_reach_a_collector(start_gateway, upstreams, tmp_path):
    collector = f"http://127.0.0.1:{upstreams.port}/collector"
    async with (
        start_gateway(tmp_path, upstreams, otlp_endpoint=collector) as gateway,
        aiohttp.ClientSession(gateway.url) as client,
    ):
        async with client.get("/v1/products"):
            pass
        await eventually(
            lambda: upstreams.requests_to("/collector/v1/traces"), timeout_s=40, what="a span at the collector"
        )


async def test_a_traceparent_decides_whether_it_is_traced_and_the_share_decides_for_the_rest(
    start_gateway, upstreams, tmp_path
):
    collector = f"http://127.0.0.1:{upstreams.port}/collector"
    async with (
        start_gateway(tmp_path, upstreams, otlp_endpoint=collector, trace_percent=0) as gateway,
        aiohttp.ClientSession(gateway.url) as client,
    ):
        for path, traceparent in (
            ("/v1/products/yes", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("/v1/products/no", "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),
            ("/v1/products/silent", ""),
        ):
            async with client.get(path, headers={"traceparent": traceparent} if traceparent else {}):
                pass
        told = {
            path: upstreams.requests_to(f"/v1/products/{path}")[0]["headers"]["traceparent"]
            for path in ("yes", "no", "silent")
        }
    assert {path: each[-2:] for path, each in told.items()} == {"yes": "01", "no": "00", "silent": "00"}
    assert told["yes"].split("-")[1] == "0af7651916cd43dd8448eb211c80319c"
