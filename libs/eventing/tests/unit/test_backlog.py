"""The backlog: a key waits as a whole and in order, the others never do."""

from aiokafka import TopicPartition
from eventing_test_records import handler, received

from eventing.backlog import Backlog

ONE = handler()


def test_a_waiting_key_holds_back_its_own_records_only():
    backlog = Backlog()
    first, second, other = received(b"a", ONE, 1), received(b"a", ONE, 2), received(b"b", ONE, 3)
    backlog.hold([first], due=10.0)
    assert not backlog.admit(second)
    assert backlog.admit(other)
    assert backlog.take_due(9.9) == []
    assert backlog.take_due(10.0) == [first, second]
    assert len(backlog) == 0
    assert backlog.next_due() is None


def test_records_without_a_key_wait_alone():
    backlog = Backlog()
    first, second = received(None, ONE, 1), received(None, ONE, 2)
    backlog.hold([first], due=10.0)
    assert backlog.admit(second)


def test_records_of_revoked_partitions_are_dropped():
    backlog = Backlog()
    gone, kept = received(b"a", ONE, 1, partition=0), received(b"b", ONE, 2, partition=1)
    backlog.hold([gone], due=10.0)
    backlog.hold([kept], due=10.0)
    backlog.drop({TopicPartition("t", 0)})
    assert backlog.take_due(10.0) == [kept]
