"""Tokens that must be refused, each a known attack or a known mistake.

``forgeries(issuer, user_id)`` gives them fresh; any service can send each to any route and expect 401.
"""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from chassis.testing.issuer import TokenIssuer, b64, public_jwk, sign_es256

_ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SIDE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Forgery:
    """A token and what is wrong with it."""

    name: str
    token: str


def forgeries(issuer: TokenIssuer, user_id: UUID) -> list[Forgery]:
    """More than sixty tokens, none of which may be accepted."""
    claims = issuer.claims_for(user_id, roles=("user", "ops", "admin"))
    made = [
        *_algorithms(issuer, claims),
        *_keys(issuer, claims),
        *_headers(issuer, claims),
        *_claims(issuer, claims),
        *_signatures(issuer, claims),
        *_shapes(issuer, claims),
    ]
    return [Forgery(name, token) for name, token in made]


Made = Iterator[tuple[str, str]]


def _join(header: Any, claims: Any, signature: str) -> str:
    return f"{b64(orjson.dumps(header))}.{b64(orjson.dumps(claims))}.{signature}"


def _hmac(secret: bytes, header: Mapping[str, Any], claims: Any, digest: str = "sha256") -> str:
    signed = f"{b64(orjson.dumps(header))}.{b64(orjson.dumps(claims))}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), digest).digest())}"


def _algorithms(issuer: TokenIssuer, claims: Mapping[str, Any]) -> Made:
    for name in ("none", "None", "NONE", "nOnE", ""):
        yield f"alg {name!r} without signature", _join({**issuer.header(), "alg": name}, claims, "")
        yield f"alg {name!r} with a signature", _join({**issuer.header(), "alg": name}, claims, b64(b"x" * 64))
    good = issuer.sign(claims).rpartition(".")[2]
    for other in ("ES384", "ES512", "ES256K", "EdDSA", "RS256", "PS256", "es256", "ES256 ", 256, None, ["ES256"]):
        yield f"alg {other!r}", _join({**issuer.header(), "alg": other}, claims, good)
    no_alg = {name: value for name, value in issuer.header().items() if name != "alg"}
    yield "alg missing", sign_es256(issuer.private_key, no_alg, claims)
    pem, jwk = issuer.public_pem(), orjson.dumps(issuer.jwks()["keys"][0])
    for digest in ("256", "384", "512"):
        header = {**issuer.header(), "alg": f"HS{digest}"}
        yield f"HS{digest} with the public key's PEM as secret", _hmac(pem, header, claims, f"sha{digest}")
    hs256 = {**issuer.header(), "alg": "HS256"}
    yield "HS256 with the PEM stripped", _hmac(pem.strip(), hs256, claims)
    yield "HS256 with the JWK as secret", _hmac(jwk, hs256, claims)
    yield "HS256 with an empty secret", _hmac(b"", hs256, claims)
    yield "ES256 header over an HMAC", _hmac(pem, issuer.header(), claims)
    rsa_key = rsa.generate_private_key(65537, 2048)
    signed = f"{b64(orjson.dumps({**issuer.header(), 'alg': 'RS256'}))}.{b64(orjson.dumps(claims))}"
    yield (
        "RS256 with a key of one's own",
        (f"{signed}.{b64(rsa_key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"),
    )


def _keys(issuer: TokenIssuer, claims: Mapping[str, Any]) -> Made:
    mine = ec.generate_private_key(ec.SECP256R1())
    my_jwk = public_jwk(mine, issuer.kid)
    header = issuer.header()
    yield "another key under the true kid", sign_es256(mine, header, claims)
    yield "jwk in the header", sign_es256(mine, {**header, "jwk": my_jwk}, claims)
    yield "jku in the header", sign_es256(mine, {**header, "jku": "http://127.0.0.1:1/jwks.json"}, claims)
    yield "jku with the true signature", issuer.sign(claims, {**header, "jku": "http://127.0.0.1:1/jwks.json"})
    yield "x5u in the header", sign_es256(mine, {**header, "x5u": "http://127.0.0.1:1/cert.pem"}, claims)
    yield "x5c in the header", sign_es256(mine, {**header, "x5c": [b64(b"certificate")]}, claims)
    yield "x5t in the header", sign_es256(mine, {**header, "x5t": b64(hashlib.sha256(b"cert").digest())}, claims)
    no_kid = {"alg": "ES256", "typ": "at+jwt"}
    yield "no kid", issuer.sign(claims, no_kid)
    for kid in (
        "unknown",
        "../../../../dev/null",
        "/dev/null",
        "' OR '1'='1",
        "'; DROP TABLE signing_key; --",
        "| sleep 10",
        "http://127.0.0.1:1/key",
        issuer.kid.upper() + "\x00",
        issuer.kid + " ",
        "",
        "k" * 5000,
    ):
        yield f"kid {kid[:24]!r}", issuer.sign(claims, {**header, "kid": kid})
    for odd in (None, 0, [issuer.kid], {"kid": issuer.kid}, True):
        yield f"kid of type {type(odd).__name__}", issuer.sign(claims, {**header, "kid": odd})
    yield "an unknown kid and one's own key", sign_es256(mine, {**header, "kid": "mine"}, claims)


def _headers(issuer: TokenIssuer, claims: Mapping[str, Any]) -> Made:
    header = issuer.header()
    for typ in ("JWT", "jwt", "rt+jwt", "id+jwt", "at+jwt2", "", None, 1):
        yield f"typ {typ!r}", issuer.sign(claims, {**header, "typ": typ})
    yield "typ missing", issuer.sign(claims, {"alg": "ES256", "kid": issuer.kid})
    yield "crit with an unknown name", issuer.sign(claims, {**header, "crit": ["exp"], "exp": 1})
    yield "crit empty", issuer.sign(claims, {**header, "crit": []})
    yield "b64 false", issuer.sign(claims, {**header, "b64": False, "crit": ["b64"]})
    yield "zip", issuer.sign(claims, {**header, "zip": "DEF"})
    yield "cty of a nested token", issuer.sign(claims, {**header, "cty": "JWT"})


def _claims(issuer: TokenIssuer, claims: Mapping[str, Any]) -> Made:
    now = int(time.time())
    changed: list[tuple[str, dict[str, Any]]] = [
        ("expired a second ago", {"exp": now - 1}),
        ("expired long ago", {"exp": now - 86_400}),
        ("exp of zero", {"exp": 0}),
        ("exp negative", {"exp": -1}),
        ("exp as text", {"exp": str(now + 900)}),
        ("exp true", {"exp": True}),
        ("exp null", {"exp": None}),
        ("exp beyond time", {"exp": 10**18}),
        ("nbf in the future", {"nbf": now + 3600}),
        ("nbf as text", {"nbf": "0"}),
        ("iat in the future", {"iat": now + 3600}),
        ("another issuer", {"iss": "sampan-auth.example"}),
        ("issuer null", {"iss": None}),
        ("issuer as list", {"iss": [issuer.issuer]}),
        ("another audience", {"aud": "sampan-internal"}),
        ("audience null", {"aud": None}),
        ("audience empty", {"aud": []}),
        ("audience list of others", {"aud": ["a", "b"]}),
        ("audience as substring", {"aud": f"x{issuer.audience}x"}),
        ("sub not an id", {"sub": "admin"}),
        ("sub null", {"sub": None}),
        ("sub as number", {"sub": 1}),
        ("sid not an id", {"sid": "session"}),
        ("country not ours", {"country": "XX"}),
        ("kyc tier not ours", {"kyc": 9}),
        ("kyc tier true", {"kyc": True}),
        ("roles as text", {"roles": "admin"}),
        ("roles of objects", {"roles": [{"admin": True}]}),
        ("jti empty", {"jti": ""}),
    ]
    for name, change in changed:
        yield name, issuer.sign({**claims, **change})
    for missing in ("exp", "iss", "aud", "sub", "sid", "jti", "country"):
        yield f"{missing} missing", issuer.sign({key: value for key, value in claims.items() if key != missing})
    for name, payload in (("null", b"null"), ("a list", b"[]"), ("text", b'"admin"'), ("not JSON", b"{")):
        yield f"claims are {name}", sign_es256(issuer.private_key, issuer.header(), payload)


def _signatures(issuer: TokenIssuer, claims: Mapping[str, Any]) -> Made:
    true = issuer.sign(claims)
    head, payload, signature = true.split(".")
    yield "no signature", f"{head}.{payload}."
    yield "half a signature", f"{head}.{payload}.{signature[:40]}"
    yield "a signature of zeros (CVE-2022-21449)", f"{head}.{payload}.{b64(bytes(64))}"
    order = _ORDER_P256.to_bytes(_SIDE_BYTES)
    yield "r and s of the group order", f"{head}.{payload}.{b64(order + order)}"
    der = issuer.private_key.sign(f"{head}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    yield "a DER signature", f"{head}.{payload}.{b64(der)}"
    r, s = decode_dss_signature(der)
    yield "s before r", f"{head}.{payload}.{b64(s.to_bytes(_SIDE_BYTES) + r.to_bytes(_SIDE_BYTES))}"
    yield "a byte more", f"{head}.{payload}.{b64(r.to_bytes(_SIDE_BYTES) + s.to_bytes(_SIDE_BYTES) + bytes(1))}"
    other = b64(orjson.dumps({**claims, "sub": str(uuid.uuid4())}))
    yield "claims exchanged", f"{head}.{other}.{signature}"
    more = b64(orjson.dumps({**claims, "roles": ["admin"], "kyc": 3}))
    yield "roles added", f"{head}.{more}.{signature}"
    flipped = "A" if signature[10] != "A" else "B"
    yield "one character changed", f"{head}.{payload}.{signature[:10]}{flipped}{signature[11:]}"


def _shapes(issuer: TokenIssuer, claims: Mapping[str, Any]) -> Made:
    true = issuer.sign(claims)
    head, payload, signature = true.split(".")
    yield "one segment", head
    yield "two segments", f"{head}.{payload}"
    yield "four segments", f"{true}.{signature}"
    yield "five segments, as a JWE", f"{head}..{payload}.{signature}.x"
    yield "a dot before", f".{true}"
    yield "a dot after", f"{true}."
    yield "only dots", ".."
    yield "truncated", true[:-5]
    yield "truncated in the claims", true[: len(head) + 20]
    yield "padding", f"{head}==.{payload}==.{signature}=="
    yield "standard base64 alphabet", f"{head}.{payload}.{'+' + signature[1:-1] + '/'}"
    yield "quoted", f'"{true}"'
    yield "header not JSON", f"{b64(b'{')}.{payload}.{signature}"
    yield "header a list", f"{b64(b'[]')}.{payload}.{signature}"
    yield "header not base64", f"@@@@.{payload}.{signature}"
    json_form = {"payload": payload, "signatures": [{"protected": head, "signature": signature}]}
    yield "JSON serialisation", orjson.dumps(json_form).decode()
    yield "oversized", true + "A" * 10_000
    yield "not a token", "hunter2"
    yield "a UUID", str(uuid.uuid4())
