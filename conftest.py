"""One set of fixtures for every member's tests."""

pytest_plugins = ["testkit.plugin"]
