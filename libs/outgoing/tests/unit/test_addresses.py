"""Which addresses are of the public Internet."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgoing import is_public


@pytest.mark.parametrize("text", ["1.1.1.1", "8.8.8.8", "172.15.0.1", "192.169.0.1", "2606:4700::1111", "2a00:1450::1"])
def test_hosts_of_the_internet(text: str) -> None:
    assert is_public(ip_address(text))


@given(st.integers(0, 2**32 - 1))
def test_what_python_calls_private_is_never_public(number: int) -> None:
    address = IPv4Address(number)
    assert not (is_public(address) and (address.is_private or address.is_multicast or address.is_reserved))


@given(st.integers(0, 2**32 - 1), st.sampled_from(["::", "::ffff:0:0", "64:ff9b::", "64:ff9b:1::", "::ffff:0:0:0"]))
def test_no_ipv4_address_inside_an_ipv6_address_passes(number: int, prefix: str) -> None:
    assert not is_public(IPv6Address(int(IPv6Address(prefix)) + number))


@given(st.integers(0, 2**32 - 1))
def test_no_tunnel_passes(number: int) -> None:
    assert not is_public(IPv6Address((0x2002 << 112) | (number << 80)))  # 6to4
    assert not is_public(IPv6Address((0x20010000 << 96) | number))  # Teredo
    assert not is_public(IPv6Address((0x2606470000000000 << 64) | (0x5EFE << 32) | number))  # ISATAP


@given(st.integers(0, 2**128 - 1))
def test_what_python_calls_private_is_never_public_in_ipv6(number: int) -> None:
    address = IPv6Address(number)
    assert not (is_public(address) and (address.is_private or address.is_multicast or address.is_link_local))
