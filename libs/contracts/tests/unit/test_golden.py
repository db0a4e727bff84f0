"""Golden records: today's code writes the golden bytes, and reads them back to the same message.

A new record type gets its file by `python -m contracts golden`. A file that no longer matches is a broken promise.
"""

import json
from datetime import datetime
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseDict

from contracts import record_type, record_types
from contracts.examples import example
from contracts.golden import golden_path, golden_record
from eventing.envelope import cloud_event_headers, header_texts, open_envelope, pack_headers, read_message

FOLDER = Path(__file__).parents[1] / "golden"
RECORDS = pytest.mark.parametrize("record", record_types().values(), ids=lambda record: record.short_name)


def golden(record):
    return json.loads(golden_path(FOLDER, record).read_text(encoding="utf-8"))


@RECORDS
def test_writing_gives_the_golden_bytes_key_and_headers(record):
    assert golden_record(record) == golden(record)


@RECORDS
def test_reading_the_golden_bytes_gives_the_message(record):
    stored = golden(record)
    read = record_type(stored["headers"]["ce_type"]).message.FromString(bytes.fromhex(stored["value_hex"]))
    assert read == example(record)
    assert ParseDict(stored["value"], record.message()) == read


@RECORDS
def test_eventing_writes_the_golden_headers(record):
    stored = golden(record)["headers"]
    row = {
        "event_id": stored["ce_id"],
        "type": record.name,
        "key": stored["ce_subject"],
        "occurred_at": datetime.fromisoformat(stored["ce_time"]),
        "correlation_id": stored["correlation_id"],
        "causation_id": stored["causation_id"],
        "aggregate_version": int(stored["aggregate_version"]) if "aggregate_version" in stored else None,
        "traceparent": stored["traceparent"],
        "headers": pack_headers([("reply_key", stored["reply_key"].encode())]) if "reply_key" in stored else None,
    }
    assert header_texts(cloud_event_headers(row, stored["ce_source"])) == stored


@RECORDS
def test_eventing_reads_the_golden_record(record):
    stored = golden(record)
    message = read_message(
        open_envelope(stored["headers"]),
        record.message,
        topic=stored["topic"],
        partition=0,
        offset=0,
        key=stored["key"],
        value=bytes.fromhex(stored["value_hex"]),
    )
    assert (message.type, message.key, message.body) == (record.name, stored["key"], example(record))
    assert message.reply_key == stored["headers"].get("reply_key")


@RECORDS
def test_an_example_sets_every_field(record):
    message = example(record)
    assert {field.name for field, _ in message.ListFields()} == set(record.message.DESCRIPTOR.fields_by_name)


def test_no_golden_file_is_left_of_a_record_type_that_is_gone():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(record_types())
