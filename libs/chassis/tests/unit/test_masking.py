"""Nothing personal or secret reaches the logs, whatever key or sentence it hides in."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from chassis.telemetry import configure_logging
from chassis.telemetry.masking import MASK, is_secret_key, mask, mask_text
from kernel.correlation import flow

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "key",
    [
        "password", "new_password", "passwordHash", "token", "access_token", "refreshToken", "authorization",
        "Authorization", "x-api-key", "email", "user_email", "phone", "phone_e164", "otp", "otp_code", "code",
        "pin", "cvv", "card_number", "cookie", "Set-Cookie", "client_secret", "database_dsn", "destination",
        "recipient", "address", "street_address", "ip", "client_ip", "display_name", "idempotency_key", "body",
        "cursor_secret", "PHONE", "eMail", "private_key",
    ],
)  # fmt: skip
def test_values_under_these_keys_are_masked(key: str) -> None:
    assert mask({key: "value"}) == {key: MASK}
    assert mask({"outer": [{key: {"deep": 1}}]}) == {"outer": [{key: MASK}]}


@pytest.mark.parametrize(
    "key",
    ["status_code", "problem_code", "reason_code", "country_code", "error", "route", "user_id", "token_id", "order_id",
     "opinion", "shipping", "pinned", "ipsum", "description", "duration_ms", "topic", "name"],
)  # fmt: skip
def test_values_under_these_are_told(key: str) -> None:
    assert not is_secret_key(key)
    assert mask({key: "value"}) == {key: "value"}


@pytest.mark.parametrize(
    "secret",
    [
        JWT, "somchai@example.co.th", "first.last+tag@mail.example.com", "+66812345678", "+84 90 123 45 67",
        "4111111111111111", "4111 1111 1111 1111", "Bearer abcdefghijklmnop", "basic dXNlcjpwYXNz", "password=hunter2",
        "token=abc123",
    ],
)  # fmt: skip
def test_secrets_in_sentences_are_masked(secret: str) -> None:
    masked = mask_text(f"could not deliver to {secret} (attempt 2)")
    assert secret not in masked
    assert secret.rsplit("=", maxsplit=1)[-1] not in masked
    assert masked.startswith("could not deliver to ")
    assert masked.endswith("(attempt 2)")


def test_a_url_keeps_its_host_and_loses_its_password() -> None:
    assert (
        mask_text("postgresql://payment:hunter2@127.0.0.1:5432/sampan") == "postgresql://***:***@127.0.0.1:5432/sampan"
    )


@pytest.mark.parametrize(
    "plain",
    [
        "0190b7a0-0000-7000-8000-000000000001", "2026-01-01T00:00:00.123Z", "4bf92f3577b34da6a3ce929d0e0e4736",
        "POST /v1/orders", "127.0.0.1:19092", "private.payment.commands.v1", "ข้าวผัด", "a" * 100, "1.2.3",
    ],
)  # fmt: skip
def test_what_is_plain_stays(plain: str) -> None:
    assert mask_text(plain) == plain


def test_odd_values_neither_fail_nor_leak() -> None:
    deep: dict[str, object] = {}
    at = deep
    for _ in range(50):
        at["a"] = at = {}
    assert "…" in str(mask(deep))
    assert mask(b"secret bytes") == "<12 bytes>"
    assert mask(object()).startswith("<object")
    assert mask({1: {"x@example.com"}}) == {"1": [MASK]}
    assert len(mask("x" * 100_000)) < 10_000


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("tested", level="info")
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)


def _lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


@pytest.mark.usefixtures("logged")
def test_lines_carry_the_flow_and_no_secret(capfd: pytest.CaptureFixture[str]) -> None:
    with flow("flow-1", "cause-1"):
        structlog.get_logger().info("otp.sent", phone="+66812345678", channel="sms", order_id="o-1")
    logging.getLogger("asyncpg").error("connecting to postgresql://u:hunter2@db/x for %s", "a@example.com")
    structlog.get_logger().debug("not told")
    first, second = _lines(capfd)
    assert first["event"] == "otp.sent"
    assert (first["service"], first["level"], first["phone"], first["channel"]) == ("tested", "info", MASK, "sms")
    assert (first["correlation_id"], first["causation_id"]) == ("flow-1", "cause-1")
    assert str(first["ts"]).endswith("Z")
    assert (second["level"], second["logger"]) == ("error", "asyncpg")
    assert "hunter2" not in str(second)
    assert "a@example.com" not in str(second)


@pytest.mark.usefixtures("logged")
def test_exceptions_are_masked_too(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        int(f"refused {JWT}")
    except ValueError:
        structlog.get_logger().exception("it.failed")
    (line,) = _lines(capfd)
    assert "'refused ***" in str(line["exception"])
    assert JWT not in str(line)
