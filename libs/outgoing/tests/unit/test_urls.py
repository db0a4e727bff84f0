"""Every spelling of an address is seen as the connection will see it."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgoing import LOCAL, PUBLIC, Reach, UrlRefusedError, fold

LOOPBACK = (
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0x7f.0.0.1",
    "0x7f.1",
    "0X7F.0x0.0x0.0x1",
    "0x7f000001",
    "2130706433",
    "127.0.0.1.",
    "127.255.255.254",
    "\uff11\uff12\uff17.0.0.1",
    "127\u30020\u30020\u30021",
    "127\uff0e0\uff0e0\uff0e1",
    "127\uff610\uff610\uff611",
    "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
    "\u00b9\u00b2\u2077.0.0.1",
    "\U0001d7cf\U0001d7d0\U0001d7d5.0.0.1",
    "127.0.0.\u00ad1",
    "127.0.0.\u200b1",
    "0\u24cd7f.1",
    "\uff12\uff11\uff13\uff10\uff17\uff10\uff16\uff14\uff13\uff13",
)
OTHER_V4 = (
    "0.0.0.0",  # noqa: S104 -- connecting to it reaches this machine
    "0",
    "0x0",
    "10.0.0.8",
    "0xa000008",
    "100.64.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "169.254.43518",
    "\u2460\u2465\u2468.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.170",
    "192.0.2.7",
    "192.88.99.1",
    "192.168.1.1",
    "192.168.257",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "4294967295",
)
V6 = (
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:8.8.8.8]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a00:8::1]",
    "[2001::7f00:1]",
    "[2001:0:808:808:0:0:80ff:fffe]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[2001:2::1]",
    "[2001:20::1]",
    "[100::1]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[fec0::1]",
    "[ff02::1]",
    "[2606:4700:0:0:0:5efe:7f00:1]",
    "[5f00::1]",
)
NAMES = (
    "localhost",
    "LOCALHOST",
    "localhost.",
    "\uff4cocalhost",
    "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
    "loc\u00adalhost",
    "a.localhost",
    "redis",
    "metadata.google.internal",
    "printer.local",
    "router.lan",
    "1.0.0.127.in-addr.arpa",
    "gateway.home.arpa",
)
AMBIGUOUS = (
    "0127.0.0.1",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "08.8.8.8",
    "127.0.0.01",
    "012.0.0.010",
    "\uff10\uff18\uff17.1",
)
BROKEN = (
    "",
    ".",
    "..",
    "a..b",
    "1.2.3.4.5",
    "256.256.256.256",
    "127.0.0.999",
    "4294967296",
    "09.0.0.1",
    "0x.0.0.g.1",
    "1..2",
    "%31%32%37.0.0.1",
    "127.0.0.1%00.example.com",
    "exa mple.com",
    "exa_mple.com",
    "xn--.com",
    "[::1",
    "::1",
    "[v1.x]",
    "[::1.2.3]",
    "a" * 64 + ".com",
    ".".join(["a" * 60] * 5),
)


@pytest.mark.parametrize("host", [*LOOPBACK, *OTHER_V4, *V6, *NAMES, *AMBIGUOUS, *BROKEN])
def test_no_spelling_of_what_is_not_public_passes(host: str) -> None:
    with pytest.raises(UrlRefusedError):
        fold(f"https://{host}/hook", PUBLIC)


@pytest.mark.parametrize("host", LOOPBACK)
def test_a_spelling_of_ipv4_is_folded_to_the_address_it_means(host: str) -> None:
    """Not refused for being strange: the same fold of a public address passes (below)."""
    found = fold(f"https://{host}/", LOCAL).address
    assert found is not None
    assert found.is_loopback


@pytest.mark.parametrize("host", AMBIGUOUS)
def test_a_leading_zero_is_refused_everywhere(host: str) -> None:
    with pytest.raises(UrlRefusedError):
        fold(f"https://{host}/", LOCAL)


@pytest.mark.parametrize(
    ("given_url", "kept"),
    [
        ("https://hooks.example.com/a?b=c", "https://hooks.example.com/a?b=c"),
        ("HTTPS://Hooks.Example.COM", "https://hooks.example.com/"),
        ("https://hooks.example.com.:443/", "https://hooks.example.com/"),
        ("https://hooks.example.com:8443/", "https://hooks.example.com:8443/"),
        ("https://b\u00fccher.example.com/", "https://xn--bcher-kva.example.com/"),
        ("https://\u0e23\u0e49\u0e32\u0e19.com/", "https://xn--q3ct9b5e.com/"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://\uff18.8.8.8/", "https://8.8.8.8/"),
        ("https://134744072/", "https://8.8.8.8/"),
        ("https://[2606:4700:0:0::1111]:8443/x", "https://[2606:4700::1111]:8443/x"),
        ("https://hooks.example.com/\u0e01?q=\u0e02", "https://hooks.example.com/%E0%B8%81?q=%E0%B8%82"),
        ("https://1.hooks.example.com/", "https://1.hooks.example.com/"),
        ("https://172.32.0.1/", "https://172.32.0.1/"),
        ("https://100.128.0.1/", "https://100.128.0.1/"),
    ],
)
def test_what_is_public_passes_and_is_kept_folded(given_url: str, kept: str) -> None:
    target = fold(given_url)
    assert target.url == kept
    assert fold(target.url) == target


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "//hooks.example.com/",
        "hooks.example.com",
        "https:/hooks.example.com",
        "https:hooks.example.com",
        "https://user@hooks.example.com/",
        "https://user:password@hooks.example.com/",
        "https://@hooks.example.com/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:25/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:6667/",
        "https://hooks.example.com:65536/",
        "https://hooks.example.com:-1/",
        "https://hooks.example.com:x/",
        " https://hooks.example.com/",
        "https://hooks.example.com/\r\nHost: inside",
        "https://hooks.example.com/\t",
        "https://hooks.example.com/" + "a" * 2000,
        "https://hooks.example.com\u2028/",
    ],
)
def test_schemes_ports_credentials_and_control_characters(url: str) -> None:
    with pytest.raises(UrlRefusedError):
        fold(url)


def test_development_reaches_this_machine_by_http() -> None:
    assert fold("http://127.0.0.1:22/hook", LOCAL).port == 22
    assert fold("http://localhost:8080/hook", LOCAL).host == "localhost"
    assert fold("http://a.example.com/", Reach(schemes=frozenset({"http", "https"}))).port == 80


@given(st.integers(0, 2**32 - 1), st.sampled_from(["{}", "0x{:x}"]))
def test_any_number_is_the_address_that_the_c_library_sees(number: int, form: str) -> None:
    assert fold(f"https://{form.format(number)}/", LOCAL).address == ip_address(number)


@given(st.text(max_size=40))
def test_whatever_is_given_is_folded_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://a.example.com/{text}"):
        try:
            target = fold(url)
        except UrlRefusedError:
            continue
        assert fold(target.url) == target
