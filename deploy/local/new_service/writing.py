"""From the template to files. `NAME` in a path and `%name%` in a text are the service's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from new_service.names import Names

TEMPLATE: Final = Path(__file__).with_name("template")
SUFFIX: Final = ".tmpl"


def write_service(names: Names, checkout: Path) -> Iterator[Path]:
    """The paths written, below the checkout."""
    places = {"service": Path("services") / names.name, "proto": Path("proto-events") / "sampan" / names.name}
    for source in sorted(TEMPLATE.rglob(f"*{SUFFIX}")):
        place, *below = source.relative_to(TEMPLATE).parts
        path = places[place] / Path(*(part.replace("NAME", names.name) for part in below)).with_suffix("")
        text = source.read_text(encoding="utf-8")
        for placeholder, value in names.placeholders.items():
            text = text.replace(placeholder, value)
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text(text, encoding="utf-8")
        yield path
