"""Ids: valid version 7, strictly increasing in a process, derived ids repeat."""

import time
import uuid

from kernel.ids import derived_id, uuid7


def test_ids_are_version_7_in_strict_order():
    ids = [uuid7() for _ in range(20_000)]
    assert ids == sorted(set(ids))
    assert {(made.version, made.variant) for made in ids} == {(7, uuid.RFC_4122)}


def test_the_first_48_bits_are_the_time():
    before_ms, stamp_ms = time.time() * 1000, uuid7().int >> 80
    assert before_ms - 2_000 < stamp_ms < time.time() * 1000 + 2_000


def test_derived_ids_repeat_and_differ_by_name():
    namespace = uuid7()
    assert derived_id(namespace, "hold") == derived_id(namespace, "hold") != derived_id(namespace, "void")
