"""The rendered configuration keeps its promises without asking Envoy, and Envoy accepts it."""

import re
import subprocess
import sys
from functools import reduce

import pytest

from gateway.commands import main
from gateway.envoy.bootstrap import envoy_configuration
from gateway.envoy.filters import JWT, cors_policy
from gateway.envoy.problems import PROBLEMS
from gateway.portal.build import read_openapi
from gateway.portal.files import portal_files
from gateway.render import validate_example
from gateway.settings import Settings, load_settings, load_upstreams
from gateway.table import load_table

ENVIRON = {
    f"GATEWAY_{name.upper()}_{kind}": port
    for name in load_table().services
    for kind, port in (("PORT", "18101"), ("OPS_PORT", "18201"))
}


@pytest.fixture(scope="module")
def table():
    return load_table()


@pytest.fixture(scope="module")
def configuration(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("portal")
    (folder / "index.html").write_text("hello")
    settings = Settings(port=8080, admin_port=8001)
    return envoy_configuration(settings, table, load_upstreams(table.services, ENVIRON), portal_files(folder))


def manager(configuration):
    return configuration["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]


def routes(configuration):
    return manager(configuration)["route_config"]["virtual_hosts"][0]["routes"]


def test_only_listed_routes_do_without_a_token(configuration, table):
    open_routes = {
        route["name"]
        for route in routes(configuration)
        if JWT in route.get("typed_per_filter_config", {}) and "route" in route
    }
    # A browser cannot send a header with an upgrade: the first frame brings the ticket or token.
    upgrades = {f"websocket {endpoint.path}" for endpoint in table.websocket_endpoints}
    assert open_routes == set(table.public) | upgrades


def test_whatever_a_route_forgets_needs_a_token(configuration):
    jwt = next(item for item in manager(configuration)["http_filters"] if item["name"] == JWT)
    assert jwt["typed_config"]["rules"] == [{"match": {"prefix": "/v1/"}, "requires": {"provider_name": "sampan"}}]


def test_no_route_repeats_what_is_not_a_read(configuration):
    for route in routes(configuration):
        if "route" in route and "retry_policy" in route["route"]:
            condition = route["route"]["retry_policy"]["retriable_request_headers"]
            assert condition == [{"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}]


def test_longer_paths_come_before_the_paths_above_them(configuration):
    prefixes = [
        route["match"]["path_separated_prefix"]
        for route in routes(configuration)
        if "path_separated_prefix" in route["match"]
    ]
    for index, path in enumerate(prefixes):
        assert not any(path.startswith(f"{earlier}/") for earlier in prefixes[:index])


def test_every_answer_of_its_own_has_a_code_and_a_page():
    assert {problem.status for problem in PROBLEMS} >= {400, 401, 403, 404, 413, 429, 431, 503, 504}
    for problem in PROBLEMS:
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", problem.code)
        assert problem.detail.endswith((".", "…"))


def test_envoy_accepts_the_configuration_with_and_without_its_options(table):
    validate_example(table)


def test_the_same_input_gives_the_same_file(tmp_path, monkeypatch):
    for name, value in (ENVIRON | {"GATEWAY_PORT": "8080", "GATEWAY_ADMIN_PORT": "8001"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GATEWAY_PORTAL_DIR", str(tmp_path / "portal"))
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    assert main(["render", "--out", str(first)]) == main(["render", "--out", str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"GATEWAY_PORT": None}, "GATEWAY_PORT is not set"),
        ({"GATEWAY_PORT": "many"}, "GATEWAY_PORT is wrong"),
        ({"GATEWAY_AUTH_PORT": None}, "GATEWAY_AUTH_PORT is not set"),
        ({"GATEWAY_PAYMENT_OPS_PORT": "0"}, "GATEWAY_PAYMENT_OPS_PORT is '0'"),
        ({"GATEWAY_OTLP_ENDPOINT": "collector"}, "OTLP_ENDPOINT is no URL"),
        ({"GATEWAY_TLS_KEY_FILE": "/key.pem"}, "are set together"),
    ],
)
def test_a_wrong_setting_stops_with_one_sentence(tmp_path, monkeypatch, capsys, changes, sentence):
    for name, value in (ENVIRON | {"GATEWAY_PORT": "8080", "GATEWAY_ADMIN_PORT": "8001"} | changes).items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert main(["render", "--out", str(tmp_path / "envoy.yaml")]) == 78
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_origins_are_read_as_a_list(monkeypatch):
    monkeypatch.setenv("GATEWAY_PORT", "8080")
    monkeypatch.setenv("GATEWAY_ADMIN_PORT", "8001")
    monkeypatch.setenv("GATEWAY_CORS_ORIGINS", "https://a.example, https://b.example")
    assert load_settings().cors_origins == ("https://a.example", "https://b.example")


def headers_declared():
    """Names of the headers that requests and responses of our OpenAPI document have."""
    document = read_openapi()

    def found(node):
        reference = node.get("$ref", "")
        return found(reduce(dict.__getitem__, reference.split("/")[1:], document)) if reference else node

    operations = [each for path in document["paths"].values() for each in path.values()]
    parameters = [found(each) for operation in operations for each in operation["parameters"]]
    responses = [found(each) for operation in operations for each in operation["responses"].values()]
    asked = {each["name"].lower() for each in parameters if each["in"] == "header"}
    return asked, {name.lower() for each in responses for name in each.get("headers", {})}


def test_web_apps_may_send_and_read_every_header_the_api_declares():
    [policy] = cors_policy(Settings(port=8080, admin_port=8001)).values()
    asked, answered = headers_declared()
    assert {"upload-offset", "tus-resumable", "if-match", "idempotency-key"} <= asked
    assert {"upload-offset", "content-range", "location", "ratelimit"} <= answered
    assert asked - set(policy["allow_headers"].split(", ")) == set()
    assert answered - set(policy["expose_headers"].split(", ")) == set()


def test_help_lists_the_commands():
    result = subprocess.run([sys.executable, "-m", "gateway", "--help"], capture_output=True, text=True, check=True)
    for command in ("render", "validate", "openapi", "run", "drain"):
        assert command in result.stdout
