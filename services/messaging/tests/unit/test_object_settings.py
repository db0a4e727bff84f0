"""Where files are: a wrong or missing setting ends the process with a sentence that names it."""

import subprocess
import sys

import pytest

from chassis.settings import EXIT_CONFIG, load_settings
from messaging.settings import MessagingSettings

NEEDED = {
    "HTTP_PORT": "0",
    "OPS_PORT": "0",
    "DATABASE_DSN": "postgresql://nobody@127.0.0.1/none",
    "REDIS_URL": "redis://127.0.0.1",
    "KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "JWKS_URL": "http://127.0.0.1",
    "CURSOR_SECRET": "sixteen-characters",
    "KEY_ENCRYPTION_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
    "ENVIRONMENT": "test",
    "OBJECTS_DIR": "/var/lib/objects",
    "SCANNER_HOST": "clamd",
}
S3 = {
    "OBJECTS_KIND": "s3",
    "OBJECTS_S3_ENDPOINT": "https://s3.example:9000/",
    "OBJECTS_S3_BUCKET": "attachments",
    "OBJECTS_S3_ACCESS_KEY_ID": "key",
    "OBJECTS_S3_SECRET_ACCESS_KEY": "secret",
}


def loaded(monkeypatch, values):
    for name, value in values.items():
        monkeypatch.setenv(f"MESSAGING_{name}", value)
    return load_settings(MessagingSettings)


def test_disk_needs_nothing_of_s3(monkeypatch):
    assert loaded(monkeypatch, NEEDED).objects_kind == "disk"


def test_s3(monkeypatch):
    access = loaded(monkeypatch, NEEDED | S3).s3_access()
    assert (access.endpoint, access.bucket, access.region) == ("https://s3.example:9000", "attachments", "us-east-1")
    assert "secret" not in repr(access)


@pytest.mark.parametrize("name", ["OBJECTS_S3_BUCKET", "OBJECTS_S3_ACCESS_KEY_ID", "OBJECTS_S3_SECRET_ACCESS_KEY"])
def test_what_is_missing_is_named(monkeypatch, capsys, name):
    with pytest.raises(SystemExit) as ended:
        loaded(monkeypatch, NEEDED | S3 | {name: ""})
    assert ended.value.code == EXIT_CONFIG
    assert capsys.readouterr().err == f"MESSAGING_{name} is missing.\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OBJECTS_KIND", "tape"),
        ("OBJECTS_S3_BUCKET", "No_Bucket"),
        ("OBJECTS_S3_REGION", "a b"),
        ("OBJECTS_S3_ENDPOINT", "s3.example"),
        ("OBJECTS_S3_ENDPOINT", "https://s3.example/bucket"),
    ],
)
def test_what_is_wrong_is_named(monkeypatch, capsys, name, value):
    with pytest.raises(SystemExit) as ended:
        loaded(monkeypatch, NEEDED | S3 | {name: value})
    said = capsys.readouterr().err
    assert ended.value.code == EXIT_CONFIG
    assert said.startswith(f"MESSAGING_{name} is wrong: ")
    assert value not in said or name == "OBJECTS_KIND"


def test_who_does_not_choose_s3_does_not_pay_for_it():
    code = "import sys, messaging.__main__; sys.exit('obstore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 -- our own words
