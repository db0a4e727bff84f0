"""What is generated is up to date, and what is published is not broken."""

import shutil

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from contracts import breaking, catalogue, commands, protoc
from contracts.folders import catalogue_folder, proto_folder
from contracts.reasons import published_reasons
from contracts.topics import load_topics


@pytest.fixture(scope="module")
def pages():
    return catalogue.render_pages(catalogue.build_catalogue(protoc.descriptors(), load_topics(), published_reasons()))


def test_the_python_is_what_the_sources_give():
    assert protoc.drift() == []


def test_a_changed_source_is_drift(tmp_path, monkeypatch):
    source = tmp_path / "proto-events"
    shutil.copytree(proto_folder(), source)
    (source / "sampan" / "new.proto").write_text('syntax = "proto3"; package sampan; message New {}')
    monkeypatch.setattr(protoc, "proto_folder", lambda: source)
    assert protoc.drift() == ["sampan/new_pb2.py", "sampan/new_pb2.pyi"]


def test_a_source_that_does_not_compile_says_where(tmp_path, monkeypatch):
    (tmp_path / "bad.proto").write_text("message {")
    monkeypatch.setattr(protoc, "proto_folder", lambda: tmp_path)
    with pytest.raises(protoc.CompilerError, match=r"bad.proto:1"):
        protoc.drift()


def test_the_catalogue_is_up_to_date(pages):
    assert catalogue.stale_pages(pages, catalogue_folder()) == []


def test_the_catalogue_tells_comments_keys_and_personal_data(pages):
    text = pages["auth.md"]
    assert "A person signed up." in text
    assert "| `email` | 6 | string |  **personal** |" in text
    assert "- key: `user_id`. All events of one user are in order." in text
    assert "| `lines.unit_price.amount_minor` | 1 | int64 | Minor units" in pages["commerce.md"]


def test_a_page_that_is_missing_or_left_over_is_stale(pages, tmp_path):
    catalogue.write_pages(pages, tmp_path)
    assert catalogue.stale_pages(pages, tmp_path) == []
    (tmp_path / "auth.md").unlink()
    (tmp_path / "gone.md").write_text("")
    assert catalogue.stale_pages(pages, tmp_path) == ["auth.md", "gone.md"]


def test_nothing_published_is_broken():
    assert breaking.breaking_changes() == []


def test_moving_a_record_to_another_topic_is_breaking(tmp_path, monkeypatch):
    baseline = FileDescriptorSet.FromString((proto_folder() / breaking.BASELINE).read_bytes())
    for file in baseline.file:
        for message in file.message_type:
            options = breaking.record_options(message.options)
            if message.name == "UserDeleted" and options is not None:
                options.topic, options.key = "public.auth.before.v1", "other"
    found = list(breaking.changed_options(baseline))
    assert len(found) == 2
    assert "UserDeleted: topic was 'public.auth.before.v1'" in found[0]


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [({}, "KAFKA_BOOTSTRAP is not set"), ({"KAFKA_BOOTSTRAP": "h:1", "KAFKA_USERNAME": "u"}, "KAFKA_PASSWORD")],
)
def test_apply_without_its_settings_stops_with_one_sentence(monkeypatch, capsys, environ, sentence):
    for name in ("BOOTSTRAP", "USERNAME", "PASSWORD", "ADMIN_USERNAME", "ADMIN_PASSWORD"):
        monkeypatch.delenv(f"KAFKA_{name}", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert commands.main(["apply"]) == 78
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert sentence in lines[0]
