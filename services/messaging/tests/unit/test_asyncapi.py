"""The document is what the code says, whole and valid in itself."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from messaging.live.entrypoints.schemas.frames import FRAMES
from messaging.realtime.domain.codes import Close
from messaging_testing.asyncapi import SERVER_FRAMES, build, render

FILE = Path(__file__).parents[2] / "asyncapi.yaml"


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load(FILE.read_text())


def test_the_file_is_made_from_the_code():
    assert FILE.read_text() == render(build()), (
        "run: python -m messaging_testing.asyncapi > services/messaging/asyncapi.yaml"
    )


def test_every_reference_leads_somewhere(document):
    def references(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = set(references(document))
    assert len(found) > 40
    for reference in found:
        at = document
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]


def test_every_frame_and_code_is_there(document):
    messages = document["channels"]["realtime"]["messages"]
    assert set(messages) == {f"client.{each}" for each in FRAMES} | {f"server.{each}" for each in SERVER_FRAMES}
    assert len(document["operations"]["hear"]["messages"]) == len(FRAMES)
    assert len(document["operations"]["tell"]["messages"]) == len(SERVER_FRAMES)
    for code in Close:
        assert str(int(code)) in document["info"]["description"]


def test_schemas_are_schemas(document):
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
