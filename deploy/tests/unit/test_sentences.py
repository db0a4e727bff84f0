"""The check of sentences finds codes without one, sentences without a code, and codes that no class stands for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checks.check import CHECKOUT
from checks.codes import Package
from checks.sentences import FRAMEWORK, faults_of, packages_of, titles_of

ORDER = """
PIECES_MAX = 9

class EmptyOrderError(DomainError):
    code, kind = "shop.order.empty", Kind.INVALID
    title = f"An order has 1 to {PIECES_MAX} pieces"

class SoldOutError(DomainError):
    code: ClassVar[str] = "shop.stock.sold_out"
    title: ClassVar[str] = "Nothing is left"

class CancelReason(Reason):
    BUYER = "buyer"

def reserve(order):
    if not order.pieces:
        raise SoldOutError

async def open_shop(tx):
    raise EmptyOrderError
"""
CONSUMERS = """
@subscriptions.on_batch(ReserveStock, commands=True)
async def on_commands(messages, tx):
    await apply_commands(messages)

async def apply_commands(messages):
    try:
        reserve(messages[0])
    except EmptyOrderError:
        pass
"""
TITLES = {code: dict.fromkeys(("th", "id", "ms", "vi"), "…") for code in ("shop.order.empty", "shop.stock.sold_out")}
REASON = '[[reason]]\ncodes = ["{}"]\n' + "".join(f'{language} = "…"\n' for language in ("en", "th", "id", "ms", "vi"))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    write(folder, "__init__.py", "")
    write(folder, "domain/order.py", ORDER)
    write(folder, "entrypoints/consumers.py", CONSUMERS)
    write(folder, "problems.json", json.dumps(TITLES))
    write(folder, "reasons.toml", REASON.format("buyer") + REASON.format("shop.stock.sold_out"))
    return folder


def write(folder: Path, path: str, text: str) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def faults(folder: Path) -> list[str]:
    return list(faults_of(Package(folder), {"request.rate.limited": TITLES["shop.order.empty"]}))


def test_codes_and_sentences_that_belong_together_are_well(shop: Path) -> None:
    assert faults(shop) == []
    assert Package(shop).answers["shop.order.empty"] == "An order has 1 to 9 pieces"


def test_what_a_handler_of_commands_reaches_is_answered_and_what_it_catches_or_never_calls_is_not(shop: Path) -> None:
    assert Package(shop).refusals_of_commands == {"shop.stock.sold_out"}


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("domain/cart.py", 'class FullError(DomainError):\n    code, title = "shop.cart.full", "It is full"\n', "shop.cart.full needs"),
        ("domain/cart.py", 'class LateError(DomainError):\n    code, title = LATE, "Too late"\n', "LATE needs"),
        ("domain/cart.py", 'class BusyError(DomainError):\n    code = "request.rate.limited"\n', "no English title"),
        ("domain/cart.py", 'class Ended(Reason):\n    LEFT = "left"\n', "left is given as a reason"),
        ("domain/cart.py", 'LOST = "lost"\nended(reason_code=LOST)\n', "lost is given as a reason"),
        ("domain/cart.py", 'ended(failure_code="gone")\n', "gone is given as a reason"),
        ("domain/cart.py", "def reserve(order):\n    raise EmptyOrderError\n", "shop.order.empty is given as a reason"),
        ("adapters/edge.py", 'Answer(code="shop.edge.late", title="Too late")\n', "shop.edge.late needs"),
        ("adapters/edge.py", 'answer(503, "shop.edge.late", "Too late")\n', "shop.edge.late needs"),
        ("problems.json", json.dumps(TITLES | {"shop.gone": TITLES["shop.order.empty"]}), "nothing answers with it"),
        ("problems.json", json.dumps(TITLES | {"shop.order.empty": {"th": "…"}}), "shop.order.empty needs"),
        ("problems.json", json.dumps(TITLES | {"shop.order.empty": TITLES["shop.order.empty"] | {"vi": " "}}), "shop.order.empty needs"),
        ("reasons.toml", REASON.format("shop.stock.sold_out"), "buyer is given as a reason"),
        ("reasons.toml", REASON.format("buyer"), "shop.stock.sold_out is given as a reason"),
        ("reasons.toml", REASON.format('buyer", "shop.stock.sold_out", "nobody'), "nobody stands in reasons.toml"),
        ("reasons.toml", REASON.format("buyer").replace('ms = "…"\n', ""), "a sentence in en, th, id, ms, vi"),
        ("reasons.toml", REASON.format("buyer") * 2, "stands there twice"),
    ],
)  # fmt: skip
def test_one_thing_missing_or_left_over_is_one_fault(shop: Path, path: str, text: str, fault: str) -> None:
    """The negative control: each of these passes unseen where the check looks away."""
    write(shop, path, text)
    assert [found for found in faults(shop) if fault in found]


def test_a_code_of_the_framework_needs_no_second_translation(shop: Path) -> None:
    write(shop, "domain/busy.py", 'class BusyError(DomainError):\n    code, title = "request.rate.limited", "Busy"\n')
    assert faults(shop) == []


def test_every_code_of_the_tree_has_its_sentences() -> None:
    packages = packages_of(CHECKOUT)
    framework = next(titles_of(package) for package in packages if package.name == FRAMEWORK)
    assert {package.name: found for package in packages if (found := sorted(faults_of(package, framework)))} == {}
    read = {package.name for package in packages if package.refusals_of_commands}
    assert {"commerce", "payment"} <= read, "the handlers of commands are not found any more"
