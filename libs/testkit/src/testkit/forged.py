"""Tokens that must be refused, each a known attack or a known mistake.

Each is to be answered with 401 on every route that wants a token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from testkit.issuer import TokenIssuer, b64, public_jwk, sign_es256

_ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SIDE_BYTES = 32


Sign = Callable[[Mapping[str, Any], Any], str]
Made = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Source:
    """What a forger has: a true token, the public key, and something that signs."""

    token: str
    header: dict[str, Any]
    claims: dict[str, Any]
    jwk: dict[str, Any]
    sign: Sign

    @property
    def kid(self) -> str:
        return str(self.header["kid"])

    def pem(self) -> bytes:
        """The public key, as someone who tries key confusion would use it for a secret."""
        x, y = (int.from_bytes(_unb64(self.jwk[name])) for name in ("x", "y"))
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def forgeries(issuer: TokenIssuer, user_id: UUID) -> dict[str, str]:
    """Name → token. Wrong headers and claims are signed with the true key, so only the rule itself refuses them."""
    token = issuer.token_for(user_id, roles=("user", "ops", "admin"))
    return _all(_source(token, issuer.jwks(), issuer.sign_with))


def forged_tokens(token: str, jwks: Mapping[str, Any]) -> dict[str, str]:
    """Name → token, from a true token and the public keys alone: for a whole service, or through the gateway."""
    mine = ec.generate_private_key(ec.SECP256R1())
    return _all(_source(token, jwks, lambda header, claims: sign_es256(mine, header, claims)))


def _all(source: _Source) -> dict[str, str]:
    groups = (_algorithms, _keys, _headers, _claims, _signatures, _shapes)
    return {name: token for group in groups for name, token in group(source)}


def _source(token: str, jwks: Mapping[str, Any], sign: Sign) -> _Source:
    header, claims, _ = token.split(".")
    decoded: dict[str, Any] = orjson.loads(_unb64(header))
    jwk = next(key for key in jwks["keys"] if key["kid"] == decoded["kid"])
    return _Source(token, decoded, orjson.loads(_unb64(claims)), dict(jwk), sign)


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _join(header: Any, claims: Any, signature: str) -> str:
    return f"{b64(orjson.dumps(header))}.{b64(orjson.dumps(claims))}.{signature}"


def _hmac(secret: bytes, header: Mapping[str, Any], claims: Any, digest: str = "sha256") -> str:
    signed = f"{b64(orjson.dumps(header))}.{b64(orjson.dumps(claims))}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), digest).digest())}"


def _algorithms(source: _Source) -> Made:
    claims = source.claims
    for name in ("none", "None", "NONE", "nOnE", ""):
        yield f"alg {name!r} without signature", _join({**source.header, "alg": name}, claims, "")
        yield f"alg {name!r} with a signature", _join({**source.header, "alg": name}, claims, b64(b"x" * 64))
    good = source.token.rpartition(".")[2]
    for other in ("ES384", "ES512", "ES256K", "EdDSA", "RS256", "PS256", "es256", "ES256 ", 256, None, ["ES256"]):
        yield f"alg {other!r}", _join({**source.header, "alg": other}, claims, good)
    no_alg = {name: value for name, value in source.header.items() if name != "alg"}
    yield "alg missing", source.sign(no_alg, claims)
    pem, jwk = source.pem(), orjson.dumps(source.jwk)
    for digest in ("256", "384", "512"):
        header = {**source.header, "alg": f"HS{digest}"}
        yield f"HS{digest} with the public key's PEM as secret", _hmac(pem, header, claims, f"sha{digest}")
    hs256 = {**source.header, "alg": "HS256"}
    yield "HS256 with the PEM stripped", _hmac(pem.strip(), hs256, claims)
    yield "HS256 with the JWK as secret", _hmac(jwk, hs256, claims)
    yield "HS256 with an empty secret", _hmac(b"", hs256, claims)
    yield "ES256 header over an HMAC", _hmac(pem, source.header, claims)
    rsa_key = rsa.generate_private_key(65537, 2048)
    signed = f"{b64(orjson.dumps({**source.header, 'alg': 'RS256'}))}.{b64(orjson.dumps(claims))}"
    yield (
        "RS256 with a key of one's own",
        (f"{signed}.{b64(rsa_key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"),
    )


def _keys(source: _Source) -> Made:
    claims = source.claims
    mine = ec.generate_private_key(ec.SECP256R1())
    my_jwk = public_jwk(mine, source.kid)
    header = source.header
    yield "another key under the true kid", sign_es256(mine, header, claims)
    yield "jwk in the header", sign_es256(mine, {**header, "jwk": my_jwk}, claims)
    yield "jku in the header", sign_es256(mine, {**header, "jku": "http://127.0.0.1:1/jwks.json"}, claims)
    yield "jku with the true signature", source.sign({**header, "jku": "http://127.0.0.1:1/jwks.json"}, claims)
    yield "x5u in the header", sign_es256(mine, {**header, "x5u": "http://127.0.0.1:1/cert.pem"}, claims)
    yield "x5c in the header", sign_es256(mine, {**header, "x5c": [b64(b"certificate")]}, claims)
    yield "x5t in the header", sign_es256(mine, {**header, "x5t": b64(hashlib.sha256(b"cert").digest())}, claims)
    no_kid = {"alg": "ES256", "typ": "at+jwt"}
    yield "no kid", source.sign(no_kid, claims)
    for kid in (
        "unknown",
        "../../../../dev/null",
        "/dev/null",
        "' OR '1'='1",
        "'; DROP TABLE signing_key; --",
        "| sleep 10",
        "http://127.0.0.1:1/key",
        source.kid.upper() + "\x00",
        source.kid + " ",
        "",
        "k" * 5000,
    ):
        yield f"kid {kid[:24]!r}", source.sign({**header, "kid": kid}, claims)
    for odd in (None, 0, [source.kid], {"kid": source.kid}, True):
        yield f"kid of type {type(odd).__name__}", source.sign({**header, "kid": odd}, claims)
    yield "an unknown kid and one's own key", sign_es256(mine, {**header, "kid": "mine"}, claims)


def _headers(source: _Source) -> Made:
    claims = source.claims
    header = source.header
    for typ in ("JWT", "jwt", "rt+jwt", "id+jwt", "at+jwt2", "", None, 1):
        yield f"typ {typ!r}", source.sign({**header, "typ": typ}, claims)
    yield "typ missing", source.sign({"alg": "ES256", "kid": source.kid}, claims)
    yield "crit with an unknown name", source.sign({**header, "crit": ["exp"], "exp": 1}, claims)
    yield "crit empty", source.sign({**header, "crit": []}, claims)
    yield "b64 false", source.sign({**header, "b64": False, "crit": ["b64"]}, claims)
    yield "zip", source.sign({**header, "zip": "DEF"}, claims)
    yield "cty of a nested token", source.sign({**header, "cty": "JWT"}, claims)


def _claims(source: _Source) -> Made:
    claims, header = source.claims, source.header
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
        ("issuer as list", {"iss": [claims["iss"]]}),
        ("another audience", {"aud": "sampan-internal"}),
        ("audience null", {"aud": None}),
        ("audience empty", {"aud": []}),
        ("audience list of others", {"aud": ["a", "b"]}),
        ("audience as substring", {"aud": f"x{claims['aud']}x"}),
        ("sub not an id", {"sub": "admin"}),
        ("sub null", {"sub": None}),
        ("sub as number", {"sub": 1}),
        ("sid not an id", {"sid": "session"}),
        ("country not ours", {"country": "XX"}),
        ("kyc tier not ours", {"kyc": 9}),
        ("kyc tier true", {"kyc": True}),
        ("access epoch true", {"access_epoch": True}),
        ("access epoch below 0", {"access_epoch": -1}),
        ("access epoch 1.0", {"access_epoch": 1.0}),
        ("access epoch of words", {"access_epoch": "1"}),
        ("access epoch beyond 31 bits", {"access_epoch": 1 << 31}),
        ("roles as text", {"roles": "admin"}),
        ("roles of objects", {"roles": [{"admin": True}]}),
        ("jti empty", {"jti": ""}),
    ]
    for name, change in changed:
        yield name, source.sign(header, {**claims, **change})
    for missing in ("exp", "iss", "aud", "sub", "sid", "jti", "country"):
        yield f"{missing} missing", source.sign(header, {key: value for key, value in claims.items() if key != missing})
    for name, payload in (("null", b"null"), ("a list", b"[]"), ("text", b'"admin"'), ("not JSON", b"{")):
        yield f"claims are {name}", source.sign(header, payload)


def _signatures(source: _Source) -> Made:
    claims = source.claims
    true = source.token
    head, payload, signature = true.split(".")
    yield "no signature", f"{head}.{payload}."
    yield "half a signature", f"{head}.{payload}.{signature[:40]}"
    yield "a signature of zeros (CVE-2022-21449)", f"{head}.{payload}.{b64(bytes(64))}"
    order = _ORDER_P256.to_bytes(_SIDE_BYTES)
    yield "r and s of the group order", f"{head}.{payload}.{b64(order + order)}"
    raw = _unb64(signature)
    r, s = raw[:_SIDE_BYTES], raw[_SIDE_BYTES:]
    yield "a DER signature", f"{head}.{payload}.{b64(encode_dss_signature(int.from_bytes(r), int.from_bytes(s)))}"
    yield "s before r", f"{head}.{payload}.{b64(s + r)}"
    yield "a byte more", f"{head}.{payload}.{b64(raw + bytes(1))}"
    other = b64(orjson.dumps({**claims, "sub": str(uuid.uuid4())}))
    yield "claims exchanged", f"{head}.{other}.{signature}"
    more = b64(orjson.dumps({**claims, "roles": ["admin"], "kyc": 3}))
    yield "roles added", f"{head}.{more}.{signature}"
    flipped = "A" if signature[10] != "A" else "B"
    yield "one character changed", f"{head}.{payload}.{signature[:10]}{flipped}{signature[11:]}"


def _shapes(source: _Source) -> Made:
    true = source.token
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
