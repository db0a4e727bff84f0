"""python members.py SERVICE: the workspace members an image holds, as arguments for `uv pip install`.

A service or library and, again and again, the members that their pyproject.toml asks for.
"""

import re
import sys
import tomllib
from pathlib import Path


def members_of(name: str, root: Path) -> list[str]:
    """Folders below `root`, what is needed before what needs it."""
    found: list[str] = []

    def add(member: str) -> None:
        folder = next(folder for folder in ("libs", "services") if (root / folder / member / "pyproject.toml").exists())
        project = tomllib.loads((root / folder / member / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for requirement in project.get("dependencies", ()):
            if needed := re.fullmatch(r"sampan-([a-z]+)", requirement):
                add(needed[1])
        if f"{folder}/{member}" not in found:
            found.append(f"{folder}/{member}")

    add(name)
    return found


if __name__ == "__main__":
    print(*(f"-r {folder}/pyproject.toml" for folder in members_of(sys.argv[1], Path.cwd())))
