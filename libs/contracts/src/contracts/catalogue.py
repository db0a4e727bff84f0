"""The event catalogue: one page per domain for people, one JSON file for the portal.

Invariant: every sentence on a page comes from a proto file, a ``service.toml`` or a ``reasons.toml``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet
from google.protobuf.json_format import MessageToDict

from contracts.consistency import topics_of
from contracts.examples import example, example_headers, example_key
from contracts.reasons import Sentences
from contracts.registry import RecordType, record_types
from contracts.topics import Declared

Comments = dict[str, str]
_MESSAGE, _FIELD = 4, 2  # field numbers of FileDescriptorProto.message_type and DescriptorProto.field
_TYPES = {
    FieldDescriptorProto.TYPE_STRING: "string",
    FieldDescriptorProto.TYPE_INT32: "int32",
    FieldDescriptorProto.TYPE_INT64: "int64",
    FieldDescriptorProto.TYPE_BOOL: "bool",
    FieldDescriptorProto.TYPE_BYTES: "bytes",
    FieldDescriptorProto.TYPE_DOUBLE: "double",
}


def build_catalogue(
    image: FileDescriptorSet, declared: Declared, reasons: Mapping[str, Mapping[str, Sentences]]
) -> dict[str, Any]:
    """The whole catalogue as plain data. ``image`` must carry source information."""
    shapes, comments = _shapes(image), _comments(image)
    records = [_entry(record, shapes, comments, declared) for record in record_types().values()]
    topics = [
        {
            "name": topic.name,
            "about": topic.about,
            "owner": topic.owner,
            "partitions": topic.partitions,
            "retention_days": topic.retention_days,
            "cleanup": topic.cleanup,
            "writers": sorted({topic.owner, *topic.writers}),
            "readers": sorted(topic.readers),
        }
        for topic in declared.topics
    ]
    listed = [
        {"service": service, "code": code, "sentences": dict(sentences)}
        for service, codes in reasons.items()
        for code, sentences in codes.items()
    ]
    return {"records": records, "topics": topics, "reasons": listed}


def render_pages(catalogue: dict[str, Any]) -> dict[str, str]:
    """File name → text, for everything under ``docs/events``."""
    pages = {"catalogue.json": json.dumps(catalogue, ensure_ascii=False, indent=1) + "\n"}
    domains = sorted({record["domain"] for record in catalogue["records"]})
    for domain in domains:
        entries = [record for record in catalogue["records"] if record["domain"] == domain]
        reasons = [reason for reason in catalogue["reasons"] if reason["service"] == domain]
        pages[f"{domain}.md"] = "\n".join([*_domain_page(domain, entries), *_reasons(reasons)]) + "\n"
    pages["README.md"] = "\n".join(_index(catalogue, domains)) + "\n"
    return pages


def stale_pages(pages: dict[str, str], folder: Path) -> list[str]:
    """Names of pages that are missing, left over or out of date."""
    stale = [name for name, text in pages.items() if _read(folder / name) != text]
    left_over = [path.name for path in folder.glob("*.md") if path.name not in pages]
    return sorted(stale + left_over)


def write_pages(pages: dict[str, str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


def _entry(
    record: RecordType, shapes: dict[str, DescriptorProto], comments: Comments, declared: Declared
) -> dict[str, Any]:
    return {
        "name": record.name,
        "short_name": record.short_name,
        "domain": record.domain,
        "about": comments.get(record.name, ""),
        "owner": record.owner,
        "audience": record.audience.value,
        "topics": topics_of(record, declared),
        "key": record.key,
        "ordering": record.ordering,
        "pii": sorted(record.pii),
        "fields": _fields(record.name, shapes, comments, record.pii),
        "example": {
            "key": example_key(record),
            "headers": example_headers(record),
            "value": MessageToDict(example(record), preserving_proto_field_name=True),
        },
    }


def _fields(
    name: str, shapes: dict[str, DescriptorProto], comments: Comments, pii: frozenset[str], prefix: str = ""
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for field in shapes[name].field:
        path = f"{prefix}{field.name}"
        rows.append(
            {
                "path": path,
                "number": field.number,
                "type": _type(field),
                "about": comments.get(f"{name}.{field.name}", ""),
                "pii": path in pii,
            }
        )
        nested = field.type_name.lstrip(".")
        if nested in shapes and not nested.startswith("google."):
            rows += _fields(nested, shapes, comments, pii, f"{path}.")
    return rows


def _type(field: FieldDescriptorProto) -> str:
    name = field.type_name.rpartition(".")[2] or _TYPES.get(field.type, "number")
    return f"list of {name}" if field.label == FieldDescriptorProto.LABEL_REPEATED else name


def _shapes(image: FileDescriptorSet) -> dict[str, DescriptorProto]:
    return {f"{file.package}.{message.name}": message for file in image.file for message in file.message_type}


def _comments(image: FileDescriptorSet) -> Comments:
    found: Comments = {}
    for file in image.file:
        for location in file.source_code_info.location:
            path, text = list(location.path), location.leading_comments.strip()
            if not text or path[:1] != [_MESSAGE]:
                continue
            message = file.message_type[path[1]]
            name = f"{file.package}.{message.name}"
            if len(path) == 2:
                found[name] = _one_line(text)
            elif len(path) == 4 and path[2] == _FIELD:
                found[f"{name}.{message.field[path[3]].name}"] = _one_line(text)
    return found


def _one_line(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines())


def _index(catalogue: dict[str, Any], domains: list[str]) -> Iterator[str]:
    yield from (
        "# Event catalogue",
        "",
        "Made from `proto-events`, `services/*/service.toml` and `reasons.toml` of each service by",
        "`python -m contracts catalogue`; do not edit.",
        "How to read these records from your own service: `libs/contracts/README.md`.",
        "",
        "| record | what it says | topic | audience |",
        "|---|---|---|---|",
    )
    for record in catalogue["records"]:
        link = f"[{record['short_name']}]({record['domain']}.md#{record['short_name'].lower()})"
        topics = ", ".join(f"`{topic}`" for topic in record["topics"][:1])
        more = f" and {len(record['topics']) - 1} more" if len(record["topics"]) > 1 else ""
        yield f"| {link} | {record['about']} | {topics}{more} | {record['audience']} |"
    yield from (
        "",
        "## Topics",
        "",
        "| topic | about | written by | read by | kept | partitions |",
        "|---|---|---|---|---|---|",
    )
    for topic in catalogue["topics"]:
        kept = "forever" if topic["retention_days"] < 0 else f"{topic['retention_days']} d"
        readers = ", ".join(topic["readers"]) or "—"
        yield (
            f"| `{topic['name']}` | {topic['about']} | {', '.join(topic['writers'])} | {readers} | {kept} |"
            f" {topic['partitions']} |"
        )
    yield from ("", "Domains: " + ", ".join(f"[{domain}]({domain}.md)" for domain in domains))


def _domain_page(domain: str, entries: list[dict[str, Any]]) -> Iterator[str]:
    yield from (f"# Records of {domain}", "", "[All records](README.md)")
    for entry in entries:
        yield from ("", f"## {entry['short_name']}", "", entry["about"], "")
        yield f"- type: `{entry['name']}`"
        yield f"- topic: {', '.join(f'`{topic}`' for topic in entry['topics'])}"
        yield f"- owner: {entry['owner']} · audience: {entry['audience']}"
        yield f"- key: `{entry['key']}`. {entry['ordering']}"
        if entry["pii"]:
            yield f"- personal data: {', '.join(f'`{path}`' for path in entry['pii'])}"
        yield from ("", "| field | no. | type | about |", "|---|---|---|---|")
        for field in entry["fields"]:
            mark = " **personal**" if field["pii"] else ""
            yield f"| `{field['path']}` | {field['number']} | {field['type']} | {field['about']}{mark} |"
        shown = json.dumps(entry["example"], ensure_ascii=False, indent=2)
        yield from ("", "<details><summary>Example</summary>", "", "```json", shown, "```", "</details>")


def _reasons(reasons: list[dict[str, Any]]) -> Iterator[str]:
    if reasons:
        yield from (
            "",
            "## Reason codes",
            "",
            "Sentences in all languages are in [catalogue.json](catalogue.json).",
            "",
        )
        yield from ("| code | what people read |", "|---|---|")
    for reason in reasons:
        yield f"| `{reason['code']}` | {reason['sentences']['en']} |"


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
