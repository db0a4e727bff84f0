"""The check of the house plan finds what departs, allows what is listed, and asks for no exception that is not needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.house_plan import Departures, load_departures, look, shape_of

USE_CASE = "async def place_order(command: PlaceOrder, tx: Tx) -> None: ...\n"
WHOLE = {
    "__init__.py": "", "__main__.py": "", "py.typed": "", "settings.py": "", "wiring.py": "",
    "usecases/ports.py": "", "usecases/place_order.py": USE_CASE,
    "adapters/transaction.py": "", "adapters/order_store.py": "",
    "entrypoints/app.py": "", "entrypoints/roles.py": "", "entrypoints/routes/orders.py": "routes = Routes()\n",
}  # fmt: skip


@pytest.fixture
def service(tmp_path: Path) -> Path:
    for path, text in WHOLE.items():
        write(tmp_path / "shop", f"src/shop/{path}", text)
    return tmp_path / "shop"


def write(service: Path, path: str, text: str) -> None:
    file = service / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def departures(**paths: str) -> Departures:
    return Departures(paths={("shop", path): why for path, why in paths.items()})


def test_a_service_of_the_plan_is_well(service: Path) -> None:
    assert list(look(service, departures())) == []


@pytest.mark.parametrize(
    ("path", "text", "word"),
    [
        ("src/shop/helpers/money.py", "", "in no room"),
        ("src/shop/adapters/announcer.py", "", "in no room"),
        ("src/shop/entrypoints/http.py", "", "in no room"),
        ("src/shop/domain/orders/order.py", "", "in no room"),
        ("src/shop/testing.py", "", "in no room"),
        ("src/shop/usecases/cancel.py", "async def cancel(): ...\n", "<verb>_<noun>"),
        ("src/shop/usecases/cancel_order.py", "async def cancel(): ...\n", "has one, cancel_order"),
        ("src/shop/usecases/cancel_order.py", "async def cancel_order(cmd): ...\n", "`command`"),
        ("src/shop/domain/order.py", "import datetime\nx = datetime.datetime.now\n", None),
        ("src/shop/domain/order.py", "at = datetime.now(UTC)\n", "clock"),
        ("src/shop/domain/order.py", "log = structlog.get_logger()\n", "__name__"),
        ("src/shop/adapters/order_store.py", 'done = status.endswith("1")\n', "rows_affected"),
        ("src/shop/entrypoints/routes/orders.py", "table = []\n", "Routes"),
        ("tests/slow/test_all.py", "", "in no room"),
        ("tests/component/conftest.py", "x = 1\n" * 41, "41 lines"),
    ],
)
def test_what_departs_is_said(service: Path, path: str, text: str, word: str | None) -> None:
    write(service, path, text)
    found = list(look(service, departures()))
    assert [word in sentence for sentence in found] == ([True] if word else []), found


def test_what_is_missing_is_said(service: Path) -> None:
    (service / "src/shop/entrypoints/app.py").unlink()
    assert list(look(service, departures())) == ["shop: entrypoints/app.py is missing"]


def test_an_exception_is_allowed_and_one_that_nothing_needs_is_not(service: Path) -> None:
    write(service, "src/shop/sagas/pay_v1.py", "")
    listed = departures(**{"sagas/": "data", "gone.py": "was here"})
    assert list(look(service, listed)) == []
    assert [sentence.split(":")[1].strip() for sentence in listed.unused(["shop"])] == ["shop gone.py"]


def test_a_row_count_is_not_any_ending() -> None:
    assert list(shape_of("domain/order.py", 'name.endswith("-1a")\nname.endswith(suffix)\n')) == []


def test_an_exception_says_why(tmp_path: Path) -> None:
    file = tmp_path / "house_plan.toml"
    file.write_text('[[exception]]\nservice = "shop"\npath = "sagas/"\nwhy = " "\n')
    with pytest.raises(ValueError, match="says why"):
        load_departures(file)
