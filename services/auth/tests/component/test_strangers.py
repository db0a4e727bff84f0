"""A stranger who guesses or asks for codes slows down the places they come from, and shuts nobody out.

Guesses are counted by calls of the counting itself, an hour in a moment: the hash behind them changes nothing.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from auth.adapters import attempt_store as counting
from auth.adapters.address_limit_store import AddressLimitStore
from auth.domain.delays import CUT_OFF_AFTER, Counter, TooManyAttemptsError
from auth.domain.ids import UserId
from auth.domain.place import Familiarity
from auth_testing.service import PASSWORD, Service, new_email
from chassis.redis import RateLimiter
from testkit.serving import Answered

pytestmark = pytest.mark.component

# Addresses of loopback have no limit of their own here: what is limited is the account, which is what is tried.
_HERE, _THERE, _NEW = "127.11.11", "127.12.12", "127.13.13"
HOME, NEXT_DOOR, FAR, NEW_PLACE = f"{_HERE}.10", f"{_HERE}.77", f"{_THERE}.5", f"{_NEW}.9"
WRONG = "not it at all"


@pytest.fixture(params=["redis", "postgres"])
def counted(request: pytest.FixtureRequest, shifted: Service, service_without_redis: Service) -> Service:
    """A service whose clock the test moves, with Redis and without."""
    return shifted if request.param == "redis" else service_without_redis


async def owner_at(service: Service, ip: str = HOME) -> dict[str, Any]:
    body = {"email": new_email(), "password": PASSWORD, "name": "Mai Linh", "country": "VN"}
    answer = await service.call("POST", "/v1/users", body, X_Forwarded_For=ip)
    assert answer.status == 201, answer.body
    return dict(answer.body["user"])


async def sign_in(service: Service, email: str, ip: str, password: str = PASSWORD) -> Answered:
    body = {"method": "password", "email": email, "password": password}
    return await service.call("POST", "/v1/sessions", body, X_Forwarded_For=ip)


async def guess(service: Service, user: dict[str, Any], ip: str) -> float:
    """One wrong guess, without its hash; how long it has to wait, or 0 when it was let through."""
    attempts, user_id = service.app.tools.attempts, UserId(uuid.UUID(user["user_id"]))
    try:
        attempt = await attempts.reserve(user["email"], "password", ip, user_id)
    except TooManyAttemptsError as refused:
        return float(refused.retry_after_s or 0)
    await attempts.failed(attempt, user_id)
    return 0


async def guesses_in_an_hour(service: Service, user: dict[str, Any], addresses: Iterator[str]) -> int:
    """By somebody who is always there when a wait ends."""
    until, let_through = service.clock.now() + timedelta(hours=1), 0
    while service.clock.now() < until:
        wait_s = await guess(service, user, next(addresses))
        let_through += wait_s == 0
        service.clock.move(timedelta(seconds=wait_s))
    return let_through


async def attack(service: Service, user: dict[str, Any], ip: str, wait_s: float = 8) -> None:
    """Until a guess has to wait this long."""
    while (wait := await guess(service, user, ip)) < wait_s:
        service.clock.move(timedelta(seconds=wait))


@pytest.mark.parametrize("stranger", [FAR, NEXT_DOOR])
async def test_the_owner_gets_in_from_home_whatever_a_stranger_does(counted: Service, stranger: str) -> None:
    user = await owner_at(counted)
    await attack(counted, user, stranger)
    for _ in range(10):
        assert (await sign_in(counted, user["email"], HOME)).status == 201
        await guess(counted, user, stranger)
    assert await guess(counted, user, stranger) >= 2


async def test_the_owner_gets_in_from_a_new_place_beside_one_stranger(counted: Service) -> None:
    user = await owner_at(counted)
    for _ in range(30):
        await attack(counted, user, FAR, wait_s=60)
        counted.clock.move(timedelta(seconds=60))
    assert (await sign_in(counted, user["email"], NEW_PLACE)).status == 201


async def test_the_owner_gets_in_from_near_home_beside_a_thousand_strangers(counted: Service) -> None:
    user = await owner_at(counted)
    for number in range(1000):
        if await guess(counted, user, f"127.50.{number // 250}.{number % 250 + 1}") >= 1:
            break
    assert (await sign_in(counted, user["email"], NEW_PLACE)).status == 429
    assert (await sign_in(counted, user["email"], NEXT_DOOR)).status == 201
    assert (await sign_in(counted, user["email"], HOME)).status == 201


async def test_control_with_one_counter_for_the_account_the_owner_is_kept_out(
    shifted: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "counters", lambda *_: (Counter("account"),))
    user = await owner_at(shifted)
    await attack(shifted, user, FAR)
    assert (await sign_in(shifted, user["email"], HOME)).status == 429


async def test_a_guesser_is_slowed_from_one_place_and_from_many(counted: Service) -> None:
    """The figures of docs/adr/0022."""
    one, many = await owner_at(counted), await owner_at(counted)
    assert 65 <= await guesses_in_an_hour(counted, one, itertools.repeat(FAR)) <= 75
    addresses = (f"127.{100 + number % 100}.{number // 100 % 250}.1" for number in itertools.count())
    assert 210 <= await guesses_in_an_hour(counted, many, addresses) <= 260


async def test_a_guesser_at_the_owners_own_address_is_slowed_too(counted: Service) -> None:
    user = await owner_at(counted)
    assert [await guess(counted, user, HOME) > 0 for _ in range(6)] == [False] * 5 + [True]


async def test_a_success_elsewhere_clears_nothing_of_the_guesser(counted: Service) -> None:
    user = await owner_at(counted)
    for _ in range(5):
        await guess(counted, user, FAR)
    assert (await sign_in(counted, user["email"], HOME)).status == 201
    assert await guess(counted, user, FAR) > 0


@pytest.mark.parametrize("outcome", ["cut off", "failed"])
async def test_attempts_that_were_cut_off_count_for_a_moment_only(counted: Service, outcome: str) -> None:
    """The control: those that failed go on counting."""
    user = await owner_at(counted)
    attempts, user_id = counted.app.tools.attempts, UserId(uuid.UUID(user["user_id"]))
    for _ in range(5):
        attempt = await attempts.reserve(user["email"], "password", HOME, user_id)
        if outcome == "failed":
            await attempts.failed(attempt, user_id)
    assert (await sign_in(counted, user["email"], HOME)).status == 429
    counted.clock.move(CUT_OFF_AFTER)
    again = [await guess(counted, user, HOME) for _ in range(3)]
    assert (max(again) == 0) is (outcome == "cut off")
    if outcome == "cut off":
        assert (await sign_in(counted, user["email"], HOME)).status == 201


async def test_nobody_is_answered_as_somebody(shifted: Service) -> None:
    user = await owner_at(shifted)

    async def answers(email: str) -> list[int]:
        return [(await sign_in(shifted, email, FAR, WRONG)).status for _ in range(7)]

    assert await answers(user["email"]) == await answers(new_email()) == [401] * 5 + [429] * 2


async def test_neighbours_use_up_nothing_of_a_known_address(service: Service) -> None:
    settings = service.app.settings.model_copy(update={"codes_per_address_per_hour": 2})
    limits = AddressLimitStore(RateLimiter(service.app.redis, prefix=uuid.uuid4().hex), settings, spare_loopback=False)
    for number in range(100, 110):
        for _ in range(2):
            await limits.check_code(f"{_HERE}.{number}")
    with pytest.raises(TooManyAttemptsError):
        await limits.check_code(NEXT_DOOR)
    for _ in range(2):
        await limits.check_code(HOME, Familiarity.ADDRESS)
    with pytest.raises(TooManyAttemptsError):
        await limits.check_code(HOME, Familiarity.ADDRESS)


async def asked(service: Service, path: str, email: str, ip: str) -> int:
    body = {"email": email} | ({"purpose": "sign_in"} if path == "/v1/otp" else {})
    return (await service.call("POST", path, body, X_Forwarded_For=ip)).status


@pytest.mark.parametrize("path", ["/v1/otp", "/v1/password-resets"])
async def test_a_strangers_requests_leave_the_owner_their_codes(service: Service, path: str) -> None:
    user = await owner_at(service)
    assert [await asked(service, path, user["email"], FAR) for _ in range(4)] == [202] * 3 + [429]
    for number in range(20):
        await asked(service, path, user["email"], f"{_THERE}.{number + 100}")
    assert await asked(service, path, user["email"], f"{_THERE}.250") == 429
    assert [await asked(service, path, user["email"], HOME) for _ in range(4)] == [202] * 3 + [429]


async def test_beside_one_stranger_codes_are_sent_to_new_places(service: Service) -> None:
    user = await owner_at(service)
    for _ in range(9):
        await asked(service, "/v1/otp", user["email"], FAR)
    assert await asked(service, "/v1/otp", user["email"], NEW_PLACE) == 202


@pytest.mark.parametrize(("spent", "left"), [("/v1/otp", "/v1/password-resets"), ("/v1/password-resets", "/v1/otp")])
async def test_resets_and_codes_have_their_own(service: Service, spent: str, left: str) -> None:
    user = await owner_at(service)
    assert [await asked(service, spent, user["email"], FAR) for _ in range(4)] == [202] * 3 + [429]
    assert await asked(service, left, user["email"], FAR) == 202


async def test_codes_to_nobody_are_limited_alike(service: Service) -> None:
    email = new_email()
    assert [await asked(service, "/v1/otp", email, FAR) for _ in range(4)] == [202] * 3 + [429]


async def test_a_person_who_is_signed_in_has_codes_of_their_own(service: Service) -> None:
    body = {"email": new_email(), "password": PASSWORD, "name": "Mai Linh", "country": "VN"}
    signed = (await service.call("POST", "/v1/users", body)).body
    for number in range(20):
        await asked(service, "/v1/otp", body["email"], f"{_THERE}.{number}")
    answer = await service.call("POST", "/v1/users/me/email-verifications", token=signed["access_token"])
    assert answer.status == 202
