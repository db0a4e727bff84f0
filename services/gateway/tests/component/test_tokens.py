"""Only tokens that auth signed, for this API and still valid, get past the gateway."""

import base64
import hmac
import json
import time

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from yarl import URL

pytestmark = pytest.mark.component
PROTECTED = "/v1/wallets"


def encoded(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned(header, claims):
    return f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}."


def hmac_signed(header, claims, secret):
    signed = unsigned(header, claims).removesuffix(".")
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def forgeries(gateway):
    now = int(time.time())
    good = {"iss": "sampan-auth", "aud": "sampan", "sub": "u", "iat": now, "exp": now + 900}
    other = ECKey.generate_key("P-256", {"kid": "k1"})
    public = gateway.upstreams.key.as_pem(private=False)
    mine = gateway.token()
    head, body, signature = mine.split(".")
    changed = encoded(json.dumps(good | {"roles": ["admin"]}).encode())
    rsa = RSAKey.generate_key(2048)
    return {
        "another key": gateway.token(key=other),
        "another key that brings itself (jwk)": gateway.token(key=other, header={"jwk": other.as_dict(private=False)}),
        "another key fetched from elsewhere (jku)": gateway.token(key=other, header={"jku": "http://127.0.0.1:1/jwks"}),
        "alg none": unsigned({"alg": "none", "typ": "at+jwt"}, good),
        "alg None": unsigned({"alg": "None", "kid": "k1"}, good),
        "HMAC with the public key": hmac_signed({"alg": "HS256", "kid": "k1"}, good, public),
        "RSA": jwt.encode({"alg": "RS256", "kid": "k1"}, good, rsa),
        "unknown kid": gateway.token(header={"kid": "../../etc/passwd"}, key=other),
        "expired": gateway.token(exp=now - 60, iat=now - 960),
        "not yet valid": gateway.token(nbf=now + 600),
        "no expiry": gateway.token(exp=None),
        "another issuer": gateway.token(iss="https://evil.example.com"),
        "no issuer": gateway.token(iss=None),
        "another audience": gateway.token(aud="sampan-internal"),
        "no audience": gateway.token(aud=None),
        "changed claims": f"{head}.{changed}.{signature}",
        "no signature": f"{head}.{body}.",
        "half a signature": f"{head}.{body}.{signature[: len(signature) // 2]}",
        "signature of zeros": f"{head}.{body}.{encoded(bytes(64))}",
        "two parts": f"{head}.{body}",
        "five parts": f"{head}.{body}.{signature}.x.y",
        "not base64": "%%%.%%%.%%%",
        "empty": "",
        "a word": "let-me-in",
        "very long": "a" * 9000,
    }


FORGERIES = (
    "another key", "another key that brings itself (jwk)", "another key fetched from elsewhere (jku)", "alg none", "alg None",
    "HMAC with the public key", "RSA", "unknown kid", "expired", "not yet valid", "no expiry", "another issuer", "no issuer",
    "another audience", "no audience", "changed claims", "no signature", "half a signature", "signature of zeros",
    "two parts", "five parts", "not base64", "empty", "a word", "very long",
)  # fmt: skip


def test_the_list_of_forgeries_is_whole(gateway):
    assert set(forgeries(gateway)) == set(FORGERIES)


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_token_is_refused_and_reaches_no_service(gateway, client, name):
    path = f"{PROTECTED}/{name.replace(' ', '-').replace('(', '').replace(')', '')}"
    token = forgeries(gateway)[name]
    async with client.get(path, headers={"authorization": f"Bearer {token}"}) as answer:
        assert answer.status == 401, await answer.text()
        assert answer.content_type == "application/problem+json"
        assert "Bearer" in answer.headers["www-authenticate"]
        assert (await answer.json())["code"].startswith("auth.token.")
    assert gateway.upstreams.requests_to(path) == []


async def test_the_code_tells_missing_from_expired_from_invalid(gateway, client):
    cases = {
        "auth.token.missing": {},
        "auth.token.expired": gateway.bearer(exp=int(time.time()) - 60),
        "auth.token.invalid": gateway.bearer(iss="somebody"),
    }
    for code, headers in cases.items():
        async with client.get(PROTECTED, headers=headers) as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, code)


async def test_a_good_token_passes_and_goes_on_to_the_service(gateway, client):
    headers = gateway.bearer()
    async with client.get(f"{PROTECTED}/good", headers=headers) as answer:
        assert answer.status == 200
    assert gateway.upstreams.requests_to(f"{PROTECTED}/good")[0]["headers"]["authorization"] == headers["authorization"]


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
async def test_a_scheme_has_no_case(gateway, client, scheme):
    token = gateway.bearer()["authorization"].removeprefix("Bearer ")
    headers = {"authorization": f"{scheme} {token}"}
    async with client.get(f"{PROTECTED}/{scheme}", headers=headers) as answer:
        assert answer.status == 200
    forged = {"authorization": f"{scheme} {forgeries(gateway)['another key']}"}
    async with client.get(f"{PROTECTED}/{scheme}", headers=forged) as answer:
        assert answer.status == 401


async def test_a_token_in_the_query_is_not_read(gateway, client):
    async with client.get(f"{PROTECTED}/query?access_token={gateway.token()}") as answer:
        assert answer.status == 401
    async with client.get(f"{PROTECTED}/cookie", headers={"cookie": f"access_token={gateway.token()}"}) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/v1/orders",
        "/v1/ops/sagas",
        "/v1//wallets",
        "/v1/./wallets",
        "/v1/products/../wallets",
        "/v1/products/x/../../wallets",
        "/v1/%77allets",
        "/v1/users/me",
        "/v1/sessions/5",
    ],
)
async def test_no_spelling_of_a_protected_path_is_open(client, path):
    async with client.get(URL(path, encoded=True)) as answer:
        assert answer.status in {400, 401}, await answer.text()


@pytest.mark.parametrize("path", ["/v1/products%2f..%2fwallets", "/v1%2fwallets", "/v1/products/%5cx"])
async def test_escaped_slashes_are_refused(client, path):
    async with client.get(URL(path, encoded=True)) as answer:
        assert answer.status == 400
        assert (await answer.json())["code"] == "request.http.malformed"


async def test_public_routes_need_no_token_and_an_old_one_does_no_harm(gateway, client):
    expired = gateway.bearer(exp=int(time.time()) - 60)
    for headers in ({}, expired):
        async with client.get("/v1/products", headers=headers) as answer:
            assert answer.status == 200
        async with client.post("/v1/sessions/refresh", headers=headers, json={}) as answer:
            assert answer.status == 200


async def test_public_is_by_method_too(client):
    async with client.post("/v1/products", json={}) as answer:
        assert answer.status == 401
    async with client.get("/v1/users") as answer:
        assert answer.status == 401
