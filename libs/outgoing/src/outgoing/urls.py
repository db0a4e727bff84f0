"""A URL that somebody gave, folded to the one form that is judged, kept and connected to.

Hosts are read as browsers and the C library read them, so that no spelling is seen differently by the check and by the
connection: UTS #46 first (full-width and circled digits, ideographic full stops, soft hyphens), then the forms of IPv4
that ``inet_aton`` takes (decimal, hexadecimal, fewer than four parts; a leading zero is read in two ways, and refused).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlsplit

import idna
from yarl import URL

from outgoing.addresses import Address, is_public

URL_CHARACTERS_MAX: Final = 2_000
HOST_CHARACTERS_MAX: Final = 253
_PORTS: Final = {"https": 443, "http": 80}
_PORTS_FREE_FROM: Final = 1024
# Ports above 1023 where something else than HTTP listens: those that browsers refuse, as the Fetch standard lists them.
_PORTS_REFUSED: Final = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, *range(6665, 6670), 6679, 6697, 10080}
)
# Names that no public DNS answers for.
_NAMES_REFUSED: Final = frozenset(
    {"localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private", "test", "invalid"}
)
_SUFFIXES_REFUSED: Final = (".home.arpa", ".in-addr.arpa", ".ip6.arpa", ".onion", ".alt", ".example")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\\]")
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


class UrlRefusedError(ValueError):
    """It is no URL that may be called; the text says why, for the one who gave it."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far calls may go. ``public_only`` False is for development: this machine and private networks too."""

    schemes: frozenset[str] = frozenset({"https"})
    public_only: bool = True


PUBLIC: Final = Reach()
LOCAL: Final = Reach(schemes=frozenset({"https", "http"}), public_only=False)


@dataclass(frozen=True, slots=True)
class Target:
    """``host`` is a name in ASCII, or an address (``address``). ``url`` is the whole, as it is sent."""

    scheme: str
    host: str
    port: int
    address: Address | None
    url: str


def fold(url: str, reach: Reach = PUBLIC) -> Target:
    """Raises ``UrlRefusedError``. What a name resolves to is judged when it is connected to."""
    if len(url) > URL_CHARACTERS_MAX or _UNPRINTABLE.search(url):
        raise UrlRefusedError("it is too long, or has spaces, control characters or backslashes")
    try:
        parts = urlsplit(url)
        host, given_port = parts.hostname, parts.port
    except ValueError:
        raise UrlRefusedError("it is not a URL") from None
    if parts.scheme not in reach.schemes:
        raise UrlRefusedError(f"its scheme is none of {', '.join(sorted(reach.schemes))}")
    if "@" in parts.netloc or parts.fragment or not host:
        raise UrlRefusedError("it has a user, a password or a fragment, or no host")
    folded, address = _folded_host(host, in_brackets=parts.netloc.startswith("["))
    port = _PORTS[parts.scheme] if given_port is None else given_port
    if reach.public_only:
        _require_public(folded, address)
        _require_open(port)
    shown = f"[{folded}]" if isinstance(address, IPv6Address) else folded
    suffix = "" if port == _PORTS[parts.scheme] else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    whole = URL(f"{parts.scheme}://{shown}{suffix}{parts.path or '/'}{query}")
    return Target(parts.scheme, folded, port, address, str(whole))


def _folded_host(host: str, *, in_brackets: bool) -> tuple[str, Address | None]:
    if in_brackets:
        try:
            address = IPv6Address(host)
        except ValueError:
            raise UrlRefusedError("its address is not an IPv6 address") from None
        if address.scope_id is not None:
            raise UrlRefusedError("its address has a zone")
        return address.compressed, address
    try:
        folded = idna.encode(host, uts46=True, std3_rules=True).decode().removesuffix(".")
    except (idna.IDNAError, UnicodeError):
        raise UrlRefusedError("its host is not a name") from None
    if not folded or len(folded) > HOST_CHARACTERS_MAX:
        raise UrlRefusedError("its host is empty or too long")
    if _NUMBER.fullmatch(folded.rpartition(".")[2]):
        number = _ipv4(folded)
        return str(number), number
    return folded, None


def _ipv4(host: str) -> IPv4Address:
    """As ``inet_aton`` reads it: the last part fills what is left."""
    *first, last = [_part(each) for each in host.split(".")]
    if len(first) > 3 or any(each > 255 for each in first) or last >= 256 ** (4 - len(first)):
        raise UrlRefusedError("its host ends in a number and is not an IPv4 address")
    value = last
    for place, part in enumerate(first):
        value += part << (24 - 8 * place)
    return IPv4Address(value)


def _part(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise UrlRefusedError("its host ends in a number and is not an IPv4 address")
    if text[:2].lower() == "0x":
        return int(text[2:] or "0", 16)
    if text.startswith("0") and text != "0":
        raise UrlRefusedError("its address has a leading zero: octal to some, decimal to others")
    return int(text)


def _require_public(host: str, address: Address | None) -> None:
    if address is not None:
        if not is_public(address):
            raise UrlRefusedError("its address is not of the public Internet")
        return
    if "." not in host or host.rpartition(".")[2] in _NAMES_REFUSED or host.endswith(_SUFFIXES_REFUSED):
        raise UrlRefusedError("its host is not a name of the public Internet")


def _require_open(port: int) -> None:
    if port not in _PORTS.values() and (port < _PORTS_FREE_FROM or port in _PORTS_REFUSED):
        raise UrlRefusedError("its port is not one where a web server listens")
