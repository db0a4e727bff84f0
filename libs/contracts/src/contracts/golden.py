"""Golden records: one file per record type with the exact bytes and headers that readers may rely on.

A test writes today's bytes and compares, and reads the golden bytes back. A file that changes is a contract that
changes, and shows up in review.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from contracts.examples import example, example_headers, example_key
from contracts.registry import RecordType, record_types


def golden_record(record: RecordType) -> dict[str, Any]:
    """What the file of a record type must say today."""
    message = example(record)
    return {
        "topic": record.topic,
        "key": example_key(record),
        "headers": example_headers(record),
        "value_hex": message.SerializeToString(deterministic=True).hex(),
        "value": MessageToDict(message, preserving_proto_field_name=True),
    }


def golden_path(folder: Path, record: RecordType) -> Path:
    return folder / f"{record.name}.json"


def write_golden(folder: Path) -> list[str]:
    """Add files of new record types; never touches one that exists. Returns the names added."""
    folder.mkdir(parents=True, exist_ok=True)
    added = []
    for record in record_types().values():
        path = golden_path(folder, record)
        if not path.exists():
            text = json.dumps(golden_record(record), ensure_ascii=False, indent=2)
            path.write_text(f"{text}\n", encoding="utf-8")
            added.append(record.name)
    return added
