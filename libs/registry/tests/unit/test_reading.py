"""A service.toml is read strictly: what it says is what is there, and each fault is named with its file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry import RegistryError, find_checkout, load_services, processes

WHOLE = """
about = "Sells."
roles = ["http", "jobs"]
needs = ["postgres"]
ports = {http = 1100, ops = 1200}
[secrets]
SIGNING_KEY = "key"
[settings]
URL = "{sandbox.url}"
[redis]
commands = ["get"]
reads = {"auth:revoked" = "zrangebyscore"}
[routes]
paths = ["/v1/things"]
public = ["GET /v1/things"]
[topics]
reads = ["public.auth.user.v1"]
[topics.own."public.shop.thing.v1"]
about = "Things."
retention_days = 3
"""


def write(root: Path, name: str, text: str) -> None:
    folder = root / "services" / name
    folder.mkdir(parents=True)
    (folder / "service.toml").write_text(text)


def test_reads_all_of_it(tmp_path: Path) -> None:
    write(tmp_path, "shop", WHOLE)
    [shop] = load_services(tmp_path)
    assert (shop.name, shop.kind, shop.roles, shop.needs) == ("shop", "service", ("http", "jobs"), ("postgres",))
    assert shop.named_ports == {"shop": 1100, "shop_ops": 1200}
    assert (shop.secrets, shop.settings) == ({"SIGNING_KEY": "key"}, {"URL": "{sandbox.url}"})
    [topic] = shop.topics.own
    assert (topic.name, topic.is_public, topic.more) == ("public.shop.thing.v1", True, {"retention_days": 3})
    assert shop.topics.reads == ("public.auth.user.v1",)
    assert (shop.routes.paths, shop.routes.public) == (("/v1/things",), ("GET /v1/things",))


def test_a_consumer_of_another_team_has_no_port(tmp_path: Path) -> None:
    write(tmp_path, "reports", 'about = "Reports."\nkind = "outside"\n[topics]\nreads = ["public.auth.user.v1"]\n')
    assert load_services(tmp_path)[0].ports == {}


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('about = "Sells."', "", "shop/service.toml: about is missing"),
        ('about = "Sells."', "about =", "shop/service.toml: "),
        ('["http", "jobs"]', '["http", "job"]', "roles: job is unknown"),
        ('["http", "jobs"]', '["http", "http"]', "roles: something is unknown or there twice"),
        ('["http", "jobs"]', '"http"', "roles is not a list"),
        ("ops = 1200", 'ops = "1200"', "ports: ops has a value"),
        ("ops = 1200", "ops = true", "ports: ops has a value"),
        (", ops = 1200", "", "ports are http, ops"),
        ('SIGNING_KEY = "key"', 'SIGNING_KEY = "pem"', "secrets: SIGNING_KEY has a value"),
        ("[redis]", "[radis]", "unknown radis"),
        ("commands = ", "command = ", "redis: unknown command"),
        ("public.shop.thing.v1", "public.auth.thing.v1", "is not public.shop"),
        ("public.shop.thing.v1", "secret.shop.thing.v1", "is not public.shop"),
        ('about = "Things."', "", "public.shop.thing.v1: about is missing"),
        ("retention_days", "retention_day", "public.shop.thing.v1: unknown retention_day"),
        ("retention_days = 3", 'readers = ["auth"]', "is public: readers say so"),
        ('about = "Sells."', 'about = "Sells."\nkind = "robot"', "kind is 'robot'"),
        ("[settings]", "[[settings]]", "settings"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, before: str, after: str, sentence: str) -> None:
    assert before in WHOLE
    write(tmp_path, "shop", WHOLE.replace(before, after, 1))
    with pytest.raises(RegistryError, match="shop") as raised:
        load_services(tmp_path)
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("text", "twin"),
    [
        ('about = "x"\nports = {http = 1100, ops = 1300}\n', "port 1100 belongs to market and to shop"),
        ('about = "x"\nports = {http = 1, ops = 2}\n[routes]\npaths = ["/v1/things"]\n', "path /v1/things"),
    ],
)
def test_two_services_share_nothing(tmp_path: Path, text: str, twin: str) -> None:
    write(tmp_path, "shop", WHOLE)
    write(tmp_path, "market", text)
    with pytest.raises(RegistryError, match=twin):
        load_services(tmp_path)


def test_finds_the_checkout_from_below(tmp_path: Path) -> None:
    write(tmp_path, "shop", WHOLE)
    assert find_checkout(tmp_path / "services" / "shop" / "src") == tmp_path
    with pytest.raises(RegistryError, match="above"):
        find_checkout(Path("/proc"))


def test_a_gateway_and_what_is_outside_are_no_processes_of_ours(tmp_path: Path) -> None:
    write(tmp_path, "shop", WHOLE)
    write(tmp_path, "door", 'about = "x"\nkind = "gateway"\nports = {http = 1, admin = 2}\n')
    write(tmp_path, "bridge", 'about = "x"\nkind = "outside"\n')
    assert [service.name for service in processes(load_services(tmp_path))] == ["shop"]
