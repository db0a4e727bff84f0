"""The Helm chart gives every process the settings it cannot start without, and only settings that exist."""

import re
from pathlib import Path

import yaml

from chassis.settings import ServiceSettings
from gateway.settings import Settings as GatewaySettings
from gateway.settings import load_upstreams
from gateway.table import load_table

CHART = Path(__file__).parents[2] / "helm" / "sampan"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
TEMPLATES = {path.name: path.read_text() for path in (CHART / "templates").glob("*.yaml")}


def gateway_variables():
    """Names the gateway's container is given, with a loop's placeholder filled in for each service."""
    names = set(re.findall(r"name: (GATEWAY_[^,]+),", TEMPLATES["gateway.yaml"]))
    placeholder = "{{ upper $name }}"
    return {name.replace(placeholder, service.upper()) for name in names for service in VALUES["services"]}


def test_what_services_share_are_settings_of_every_service():
    assert {name.lower() for name in VALUES["common"]} <= set(ServiceSettings.model_fields)
    assert (VALUES["common"]["HTTP_HOST"], VALUES["common"]["OPS_HOST"]) == ("0.0.0.0", "0.0.0.0")  # noqa: S104 -- in a pod


def test_the_gateway_gets_what_it_needs():
    given = gateway_variables()
    needed = {name for name, field in GatewaySettings.model_fields.items() if field.is_required()}
    assert {f"GATEWAY_{name.upper()}" for name in needed} <= given
    services = load_table().services
    assert set(services) == set(VALUES["services"])
    upstreams = load_upstreams(services, dict.fromkeys(given, "8080"))
    assert {each.name for each in upstreams} == set(services)


def test_traces_leave_from_the_gateway_and_from_every_service():
    assert VALUES["common"]["OTLP_ENDPOINT"]
    assert "GATEWAY_OTLP_ENDPOINT" in gateway_variables()
    assert TEMPLATES["roles.yaml"].count("$service.env $root.Values.common") == 2  # roles and migrations


def test_values_that_templates_name_are_there():
    for name, text in TEMPLATES.items():
        for path in re.findall(r"(?:\.|\$root\.)Values\.([A-Za-z_.]+)", text):
            found = VALUES
            for part in path.split("."):
                assert part in found, f"{name} reads .Values.{path}"
                found = found[part]
