"""What the gateway lets in, takes away, limits and says itself."""

import asyncio
import io
import json

import aiohttp
import pytest

from gateway.table import load_table

pytestmark = pytest.mark.component
CLAIMS = {
    "x-user-id": "admin",
    "X-User-Roles": "admin",
    "x-internal-trace": "1",
    "x-forwarded-user": "admin",
    "x-forwarded-for": "10.0.0.1",
    "X-Forwarded-Host": "evil.example.com",
    "x-envoy-max-retries": "50",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-internal": "true",
    "x-sampan-principal": "admin",
    "x-real-ip": "10.0.0.1",
    "forwarded": "for=10.0.0.1",
    "x-original-url": "/v1/ops/sagas",
}


async def test_claims_of_identity_do_not_reach_the_service(gateway, client):
    async with client.get("/v1/products/claims", headers=CLAIMS | {"x-harmless": "stays"}) as answer:
        assert answer.status == 200
    headers = gateway.upstreams.requests_to("/v1/products/claims")[0]["headers"]
    assert headers["x-harmless"] == "stays"
    said = {name for name in headers if name.startswith(("x-user-", "x-internal-", "x-envoy-", "x-sampan-"))}
    assert not said | (
        {"x-real-ip", "forwarded", "x-original-url", "x-forwarded-user", "x-forwarded-host"} & set(headers)
    )
    forwarded_for = headers["x-forwarded-for"].split(",")
    assert len(forwarded_for) == 1
    assert forwarded_for != ["10.0.0.1"]
    assert headers["x-forwarded-proto"] == "http"


async def test_request_ids_are_ours_and_come_back(gateway, client):
    async with client.get("/v1/products/id", headers={"x-request-id": "chosen-by-me"}) as answer:
        request_id = answer.headers["x-request-id"]
    assert len(request_id) == 36
    assert gateway.upstreams.requests_to("/v1/products/id")[0]["headers"]["x-request-id"] == request_id
    async with client.get("/nothing") as answer:
        problem = await answer.json()
        assert problem["request_id"] == answer.headers["x-request-id"]


async def test_a_trace_is_begun_or_continued(gateway, client):
    async with client.get("/v1/products/trace-new"):
        pass
    begun = gateway.upstreams.requests_to("/v1/products/trace-new")[0]["headers"]["traceparent"]
    assert len(begun) == 55
    mine = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with client.get("/v1/products/trace-old", headers={"traceparent": mine}):
        pass
    continued = gateway.upstreams.requests_to("/v1/products/trace-old")[0]["headers"]["traceparent"]
    assert continued[:36] == mine[:36]
    assert continued != mine


async def test_what_no_route_has_is_a_problem_with_a_page(client):
    for method in ("GET", "POST", "DELETE"):
        async with client.request(method, "/v2/anything") as answer:
            assert answer.status == 404
            assert answer.content_type == "application/problem+json"
            problem = await answer.json()
    assert problem == {
        "type": "/docs/problems/request.path.not_found",
        "title": "There is nothing here",
        "status": 404,
        "code": "request.path.not_found",
        "detail": "No route of this API has this path.",
        "request_id": problem["request_id"],
    }
    async with client.get(problem["type"]) as page:
        assert page.status == 200


async def test_a_body_up_to_the_limit_passes_and_one_beyond_does_not(gateway, client):
    limit = load_table().limits.body_bytes_max
    headers = gateway.bearer()
    async with client.post("/v1/orders/fits", data=io.BytesIO(b"x" * limit), headers=headers) as answer:
        assert answer.status == 200
    async with client.post("/v1/orders/beyond", data=io.BytesIO(b"x" * (limit + 1)), headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (413, "request.body.too_large")

    async def endless():
        for _ in range(40):
            yield b"x" * 65_536

    async with client.post("/v1/orders/endless", data=endless(), headers=headers) as answer:
        assert answer.status == 413
    assert gateway.upstreams.requests_to("/v1/orders/fits")[0]["bytes"] == limit
    assert not gateway.upstreams.requests_to("/v1/orders/beyond") + gateway.upstreams.requests_to("/v1/orders/endless")


async def test_headers_have_limits(client):
    async with client.get("/v1/products", headers={"x-long": "x" * 20_000}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (431, "request.headers.too_large")
    async with client.get("/v1/products", headers={f"x-{number}": "1" for number in range(80)}) as answer:
        assert answer.status == 431
    async with client.get("/v1/products", headers={"x_user_id": "admin"}) as answer:
        assert answer.status == 400


async def test_a_web_page_of_a_known_origin_may_call_and_another_may_not(client):
    ask = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,idempotency-key"}
    async with client.options("/v1/orders", headers=ask | {"origin": "https://app.example.com"}) as answer:
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
        assert "idempotency-key" in answer.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in answer.headers
    async with client.options("/v1/orders", headers=ask | {"origin": "https://evil.example.com"}) as answer:
        assert "access-control-allow-origin" not in answer.headers
    async with client.get("/v1/orders", headers={"origin": "https://app.example.com"}) as answer:
        assert answer.status == 401
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
        assert "x-request-id" in answer.headers["access-control-expose-headers"]


async def test_reading_is_tried_again_and_writing_never(gateway, client):
    headers = gateway.bearer()
    async with client.get("/v1/orders/get-reset?act=reset", headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (503, "service.unavailable")
        assert answer.headers["retry-after"] == "2"
    assert len(gateway.upstreams.requests_to("/v1/orders/get-reset")) == 3
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        path = f"/v1/orders/{method}-reset"
        async with client.request(method, f"{path}?act=reset", headers=headers, json={}) as answer:
            assert answer.status == 503
        assert len(gateway.upstreams.requests_to(path)) == 1


@pytest.mark.parametrize("path", ["/v1/orders/large", "/v1/products/large"])
async def test_an_answer_of_a_service_keeps_its_tag(gateway, client, path):
    """Services compress their own; what Envoy compressed would have no tag that a client could send back."""
    headers = gateway.bearer() | {"accept-encoding": "gzip"}
    async with client.get(f"{path}?act=large", headers=headers) as answer:
        assert (answer.headers["etag"], "content-encoding" in answer.headers) == ('"1-large"', False)
    async with client.get("/docs/", headers=headers) as answer:
        assert answer.headers["content-encoding"] == "gzip", "negative control: what is Envoy's own is compressed"


async def test_security_headers_are_on_every_answer(client):
    for path in ("/v1/products", "/nothing", "/docs/"):
        async with client.get(path) as answer:
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["server"] == "sampan"
            assert not [name for name in answer.headers if name.lower().startswith("x-envoy")]


async def test_the_access_log_is_json_without_token_or_query(gateway, client):
    token = gateway.token()
    path = "/v1/orders/logged"
    async with client.get(f"{path}?q=private", headers={"authorization": f"Bearer {token}"}) as answer:
        request_id = answer.headers["x-request-id"]
    line = (await gateway.log_lines(path))[0]
    assert (line["request_id"], line["status"], line["method"], line["upstream"]) == (
        request_id,
        200,
        "GET",
        "commerce",
    )
    assert len(line["trace_id"]) == 32
    assert isinstance(line["duration_ms"], int)
    text = gateway.log.read_text()
    assert "private" not in text
    assert token.split(".")[2] not in text
    assert "Bearer" not in text


async def test_the_load_balancer_is_answered_by_the_gateway_itself(client):
    async with client.get("/healthz") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /v1/products HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /v1/products HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST /v1/otp HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"GET /v1/products HTTP/1.1\r\nhost: a\r\nx: a\x00b\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
async def test_ambiguous_http_is_refused(gateway, raw):
    before = len(gateway.upstreams.seen)
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(raw)
    await writer.drain()
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    writer.close()
    assert head.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501")), head
    assert b"content-type: application/problem+json" in head
    assert len(gateway.upstreams.seen) == before


@pytest.mark.parametrize(("path", "location"), [("/", "/docs/"), ("/docs", "/docs/"), ("/chat", "/chat/")])
async def test_a_redirect_stays_on_the_host_that_was_asked(client, path, location):
    for host in ("elsewhere.example", "elsewhere.example:81"):
        async with client.get(path, headers={"Host": host}, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["location"]) == (302, location)
            assert await answer.read() == b""
    async with client.get(path) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("target", ["evil.example:443", "127.0.0.1:22", "[::1]:80"])
async def test_a_tunnel_is_refused_at_once(gateway, target):
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    head = await asyncio.wait_for(
        reader.readuntil(b"\r\n\r\n"), 10
    )  # a request that does not end is cut off after 30 s
    assert head.startswith(b"HTTP/1.1 405"), head
    assert b"content-type: application/problem+json" in head
    assert b"request.method.not_allowed" in await asyncio.wait_for(reader.readuntil(b"}"), 10)
    writer.close()


async def test_a_request_without_a_version_is_refused_with_a_problem(gateway):
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /\r\n\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    assert head.startswith(b"HTTP/1.1 426")
    assert b"content-type: application/problem+json" in head
    assert b"request.http.version" in await asyncio.wait_for(reader.readuntil(b"}"), 20)
    writer.close()


async def test_the_portal_loads_nothing_from_elsewhere(client):
    types = {
        "/docs/": "text/html",
        "/docs/api": "text/html",
        "/docs/events/": "text/html",
        "/docs/events/sampan.commerce.v1.OrderPaid": "text/html",
        "/docs/problems/": "text/html",
        "/docs/openapi.json": "application/json",
        "/docs/events.json": "application/json",
        "/docs/assets/swagger-ui-bundle.js": "text/javascript",
        "/docs/assets/swagger-ui.css": "text/css",
    }
    for path, media_type in types.items():
        async with client.get(path) as answer:
            assert (answer.status, answer.content_type) == (200, media_type), path
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert "script-src 'self'" in answer.headers["content-security-policy"]
            text = await answer.text()
        if media_type == "text/html":
            assert "http://" not in text.replace("http://www.w3.org", "")
            assert "https://" not in text
            assert "<script>" not in text
    async with client.get("/docs/openapi.json") as answer:
        assert json.loads(await answer.text())["openapi"].startswith("3.1")
    async with client.get("/docs/problems/no.such.code") as answer:
        assert answer.status == 404
    async with client.get("/docs/../../../etc/passwd") as answer:
        assert answer.status == 404


async def test_a_large_file_of_the_portal_arrives_whole_and_compressed(gateway):
    async with aiohttp.ClientSession() as session:
        url = f"{gateway.url}/docs/assets/swagger-ui-bundle.js"
        async with session.get(url, headers={"accept-encoding": "gzip"}) as answer:
            assert answer.headers["content-encoding"] == "gzip"
            text = await answer.text()
    assert len(text) > 1_000_000
    assert "SwaggerUIBundle" in text
