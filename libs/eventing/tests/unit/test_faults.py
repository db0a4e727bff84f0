"""Fault points: off unless armed, exact about the pass, strict about names."""

import pytest

from eventing.faults import InjectedFaultError, arm, faultpoint, parse_faults


@pytest.fixture(autouse=True)
def _disarmed():
    yield
    arm("")


def test_an_armed_point_acts_at_its_pass_and_only_then():
    arm("relay.after_ack:2:raise")
    faultpoint("relay.after_ack")
    faultpoint("relay.after_delete")
    with pytest.raises(InjectedFaultError):
        faultpoint("relay.after_ack")
    faultpoint("relay.after_ack")


@pytest.mark.parametrize("text", ["relay.after_lunch:1", "relay.after_ack:x", "relay.after_ack:1:sleep"])
def test_a_typo_is_refused(text):
    with pytest.raises(ValueError, match=r"fault|int"):
        parse_faults(text)
