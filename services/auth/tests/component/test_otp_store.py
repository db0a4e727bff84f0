"""AUTH-5 and AUTH-6 where they are kept: in the statements themselves, with a control that shows the race is real."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest

from auth.domain.ids import OtpId
from auth.domain.otp import Channel, Otp, OtpPurpose
from auth_testing.service import Service
from kernel.ids import uuid7

pytestmark = pytest.mark.component


async def kept_code(service: Service) -> OtpId:
    now = service.clock.now()
    otp = Otp(
        id=OtpId(uuid7()),
        purpose=OtpPurpose.SIGN_IN,
        channel=Channel.SMS,
        destination_hash=b"d" * 32,
        user_id=None,
        token_version=None,
        code_hash=uuid.uuid4().bytes * 2,
        expires_at=now + timedelta(minutes=10),
    )
    async with service.app.begin() as tx:
        await tx.otps.add(otp, now)
    return otp.id


async def test_auth_6_five_of_two_hundred_guesses_are_compared(service: Service) -> None:
    otp_id = await kept_code(service)

    async def guess() -> bool:
        async with service.app.begin() as tx:
            return await tx.otps.guess(otp_id, service.clock.now()) is not None

    assert sum(await asyncio.gather(*(guess() for _ in range(200)))) == 5


async def test_control_reading_before_counting_lets_more_through(service: Service) -> None:
    otp_id = await kept_code(service)
    all_have_read = asyncio.Barrier(8)

    async def guess() -> bool:
        async with service.app.begin() as tx:
            used = await tx.conn.fetchval("SELECT guesses FROM one_time_code WHERE id = $1", otp_id)
            await all_have_read.wait()
            return bool(used < 5)

    assert sum(await asyncio.gather(*(guess() for _ in range(8)))) == 8


async def test_auth_5_of_fifty_at_once_one_consumes(service: Service) -> None:
    otp_id = await kept_code(service)

    async def consume() -> bool:
        async with service.app.begin() as tx:
            return await tx.otps.consume(otp_id, service.clock.now())

    assert sum(await asyncio.gather(*(consume() for _ in range(50)))) == 1


async def test_late_codes_are_not_compared_at_all(service: Service) -> None:
    otp_id = await kept_code(service)
    late = service.clock.now() + timedelta(minutes=10)
    async with service.app.begin() as tx:
        assert await tx.otps.guess(otp_id, late) is None
        assert not await tx.otps.consume(otp_id, late)
