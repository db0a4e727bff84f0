"""Of many rows those at fault are told and left, whatever their number and place; an outage is nobody's fault."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations import alone, in_halves


class Rows:
    def __init__(self, bad):
        self.bad, self.done, self.calls = bad, [], 0

    async def work(self, items):
        self.calls += 1
        if self.bad & set(items):
            raise ValueError("poisoned")
        self.done += items
        return len(items)


@given(st.integers(0, 64), st.sets(st.integers(0, 63), max_size=5))
async def test_every_row_but_those_at_fault_is_done_once(count, bad):
    rows, told = Rows(bad), []

    async def at_fault(item, error):
        assert isinstance(error, ValueError)
        told.append(item)

    done = await in_halves(range(count), rows.work, at_fault=at_fault)
    assert rows.done == [each for each in range(count) if each not in bad]
    assert done == len(rows.done)
    assert told == sorted(each for each in bad if each < count)


async def test_one_among_a_thousand_costs_few_tries():
    rows = Rows({500})
    assert await in_halves(range(1_000), rows.work) == 999
    assert rows.calls <= 2 * 10 + 1


async def test_an_outage_is_raised_at_once():
    calls = 0

    async def work(_items):
        nonlocal calls
        calls += 1
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await in_halves(range(1_000), work)
    assert calls == 1


async def test_each_alone_is_done_or_told():
    done = []

    async def work(item):
        if item == "bad":
            raise ValueError("poisoned")
        done.append(item)

    assert [await alone(each, work) for each in ("one", "bad", "two")] == [True, False, True]
    assert done == ["one", "two"]


async def test_an_outage_is_raised_though_each_is_alone():
    async def work(_item):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await alone(1, work)
