"""Others are told of notifications whose delivery ended, and of nothing else."""

from kernel.ids import uuid7
from notification.domain.delivery import DeliveryStatus, Ended, TryAgain
from notification.domain.ids import NotificationId
from notification.usecases.record_results import RecordResults, record_results
from notification_testing.builders import a_code, a_delivery
from notification_testing.fakes import FakeTx

SENT = Ended(DeliveryStatus.SENT, provider_message_id="m-1")
FAILED = Ended(DeliveryStatus.FAILED, failure_code="x.y.z")


def of_a_notification():
    return a_delivery(notification_id=NotificationId(uuid7()))


async def recorded(*results, waiting=True):
    tx = FakeTx()
    for delivery, _ in results if waiting else ():
        await tx.deliveries.add([delivery])
    await record_results(RecordResults(results), tx)
    return tx


async def test_what_was_sent_and_what_failed_is_told():
    sent, failed = of_a_notification(), of_a_notification()
    tx = await recorded((sent, SENT), (failed, FAILED))
    assert tx.events.delivered == [(sent.delivery_id, SENT, tx.now), (failed.delivery_id, FAILED, tx.now)]


async def test_what_is_tried_again_is_not_told():
    tx = await recorded((of_a_notification(), TryAgain(FakeTx().now, "x.y.z")))
    assert tx.events.delivered == []


async def test_of_a_code_nothing_is_told():
    assert (await recorded((a_code("nok@example.com"), SENT))).events.delivered == []


async def test_what_had_ended_before_is_not_told_again():
    assert (await recorded((of_a_notification(), SENT), waiting=False)).events.delivered == []
