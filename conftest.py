"""One set of fixtures, and one profile of hypothesis, for every member's tests."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["testkit.plugin"]

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("sampan", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sampan")
