"""What is made from the registry: the marks are kept, drift is found, and every role that runs is one that is said."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from made.catalogue import parts_by_file
from made.parts import PartsError, replaced
from registry import Service, load_services
from stack.context import find_services
from stack.failure import StackError
from stack.places import container_places

CHECKOUT = Path(__file__).resolve().parents[3]
TEXT = "before\n  # made from service.toml: names\n  old\n  # end of names\nafter\n"


def test_lines_between_the_marks_are_made_and_others_are_left() -> None:
    made = replaced(TEXT, {"names": "a\n  b\n"}, name="file")
    assert made == TEXT.replace("  old\n", "  a\n    b\n")
    assert replaced(made, {"names": "a\n  b\n"}, name="file") == made


def test_marks_of_a_page_are_comments_too() -> None:
    page = "<!-- made from service.toml: names -->\n<!-- end of names -->\n"
    assert replaced(page, {"names": "x"}, name="page").splitlines()[1] == "x"


@pytest.mark.parametrize("parts", [{}, {"other": ""}, {"names": "", "other": ""}])
def test_a_mark_without_a_part_or_a_part_without_a_mark_is_an_error(parts: dict[str, str]) -> None:
    with pytest.raises(PartsError, match="file has marks for names"):
        replaced(TEXT, parts, name="file")


def test_nothing_has_drifted() -> None:
    for name, parts in parts_by_file(load_services(CHECKOUT)).items():
        text = (CHECKOUT / name).read_text(encoding="utf-8")
        assert replaced(text, parts, name=name) == text, name


def test_a_service_more_would_be_everywhere() -> None:
    more = Service(name="ferry", root=CHECKOUT, about="Boats.", ports={"http": 1100, "ops": 1200}, roles=("http",))
    files = parts_by_file((*load_services(CHECKOUT), more))
    del files["docs/CODES.md"]  # it lists codes of the source, and there is none
    for name, parts in files.items():
        assert any("ferry" in made for made in parts.values()), name


@pytest.mark.parametrize("service", find_services(CHECKOUT), ids=lambda service: service.name)
def test_roles_that_are_said_are_those_that_run(service: Service) -> None:
    declared = importlib.import_module(f"{service.name}.__main__").SERVICE
    nothing = type(declared).__dataclass_fields__["consumers"].default
    runs = {
        "http": declared.http is not None,
        "consume": declared.consumers is not nothing,
        "relay": declared.relays is not nothing,
        "jobs": declared.jobs is not nothing,
    }
    assert set(service.roles) == {role for role, there in runs.items() if there}


def test_a_placeholder_nobody_fills_is_named() -> None:
    service = Service(name="ferry", root=CHECKOUT, about="Boats.", ports={})
    assert container_places().fill(service, "at {sandbox.host}:1") == "at sandbox:1"
    with pytest.raises(StackError, match=r"ferry/service\.toml: nothing is called \{sandbox\.hosts\}"):
        container_places().fill(service, "{sandbox.hosts}")
