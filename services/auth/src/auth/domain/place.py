"""Where a request comes from, and whether an account is known there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Interface, ip_interface, ip_network
from typing import Final


class Familiarity(StrEnum):
    """Whether the account signed in before from the very address, from the network around it, or from neither."""

    ADDRESS = "address"
    NETWORK = "network"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Place:
    """An address (for IPv6 the /64 a subscriber gets) and the network around it, as CIDR."""

    address: str
    network: str


UNKNOWN_PLACE: Final = Place("", "")


def place_of(ip: str | None) -> Place:
    """``UNKNOWN_PLACE`` for anything that is no address."""
    try:
        client = ip_interface(ip or "")
    except ValueError:
        return UNKNOWN_PLACE
    own, around = (32, 24) if isinstance(client, IPv4Interface) else (64, 48)
    return Place(*(str(ip_network((client.ip, bits), strict=False)) for bits in (own, around)))
