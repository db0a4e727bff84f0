"""A key written twice in one mapping is an error for Compose and a silent loss for most parsers."""

from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
FILES = [CHECKOUT / "docker-compose.yml", *sorted((CHECKOUT / "deploy").glob("*/**/*.yaml"))]


class UniqueKeys(yaml.SafeLoader):
    """Refuses a mapping with a repeated key."""

    def construct_mapping(self, node, deep=False):  # noqa: FBT002 -- the parent's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        repeated = {key for key in keys if keys.count(key) > 1}
        assert not repeated, f"line {node.start_mark.line + 1}: {repeated} twice"
        return super().construct_mapping(node, deep)


@pytest.mark.parametrize("path", [p for p in FILES if "templates" not in p.parts], ids=lambda path: path.name)
def test_no_key_is_written_twice(path):
    list(yaml.load_all(path.read_text(), Loader=UniqueKeys))
