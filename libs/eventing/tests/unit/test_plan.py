"""The plan: each key's records keep their order, each record is called once, batch handlers get many."""

from eventing_test_records import handler, received
from hypothesis import given
from hypothesis import strategies as st

from eventing.plan import plan

BATCH, ONE, OTHER = handler(batch=True), handler(), handler(batch=True)
RECORDS = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c", None]), st.sampled_from([BATCH, ONE, OTHER])))


@given(RECORDS)
def test_each_keys_order_holds_and_nothing_is_lost(made):
    records = [received(key, handler, offset) for offset, (key, handler) in enumerate(made)]
    called = [record for call in plan(records) for record in call.records]
    assert sorted(called, key=lambda record: record.offset) == records
    for key in (b"a", b"b", b"c"):
        assert [r.offset for r in called if r.key == key] == [r.offset for r in records if r.key == key]


@given(RECORDS)
def test_a_call_has_one_handler_and_one_record_unless_it_is_a_batch(made):
    records = [received(key, handler, offset) for offset, (key, handler) in enumerate(made)]
    for call in plan(records):
        assert {record.handler for record in call.records} == {call.handler}
        assert call.handler.batch or len(call.records) == 1


def test_one_batch_handler_takes_a_whole_poll_in_one_call():
    records = [received(b"k%d" % (n % 7), BATCH, n) for n in range(100)]
    assert [len(call.records) for call in plan(records)] == [100]
