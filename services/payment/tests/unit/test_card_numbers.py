"""A card's number is no token, in whatever spelling; a token is one, also with digits in it."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment.domain.card_numbers import holds_card_number

VISA, AMEX, MAESTRO = "4242424242424242", "378282246310005", "6304000000000000"
OTHERS = ("5555555555554444", "2223003122003222", "6011111111111117", "3566002020360505", "30569309025904")
GROUPS = [VISA[start : start + 4] for start in range(0, 16, 4)]
SEPARATORS = (" ", "-", ".", "_", "/", ":", "\u00a0", "\u2011", "\u2013", "  ", " - ", ", ", "|", "x", "oder", "·")
THAI = VISA.translate(str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙"))
WIDE = VISA.translate(str.maketrans("0123456789", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"))


@pytest.mark.parametrize("number", [VISA, AMEX, MAESTRO, *OTHERS])
def test_numbers_of_every_brand(number):
    assert holds_card_number(number)
    assert holds_card_number(f"tok_{number}")
    assert holds_card_number(f"{number}=2912")  # as a magnetic stripe has it


@pytest.mark.parametrize("separator", SEPARATORS)
def test_groups_divided_by_anything(separator):
    assert holds_card_number(separator.join(GROUPS))
    assert holds_card_number(separator.join(VISA))
    assert holds_card_number(separator.join([AMEX[:4], AMEX[4:10], AMEX[10:]]))


@pytest.mark.parametrize(
    "written",
    [
        f"card:{VISA}",
        f"pan={VISA}&cvc=123",
        f"visa{VISA}visa",
        f"99{VISA}12",  # within more digits
        f"{VISA} 12/29 123",
        f"4242 {VISA[4:8]}.{VISA[8:12]}-{VISA[12:]}",
        f"4242a{VISA[4:8]}b{VISA[8:12]}c{VISA[12:]}",
        THAI,
        WIDE,
        f"บัตร {THAI}",
        "4242 4242 4242 4241",  # a digit is wrong, and it is a card's all the same
        "5500-0055-5555-5558",
    ],
)
def test_behind_words_within_digits_and_in_other_scripts(written):
    assert holds_card_number(written)


@pytest.mark.parametrize(
    "token",
    [
        "tok",
        "tok_visa",
        "tok_declined",
        "tok_1NvXYZ2eZvKYlo2C0a1b2c3d",
        "pm_1MoQK82eZvKYlo2CjQ5Y7r0E",
        "tok_123456789012",  # twelve digits
        "src_0000000000000000",
        "550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_tokens_are_tokens(token):
    assert not holds_card_number(token)


def test_of_random_hexadecimal_tokens_two_in_a_hundred_at_most_hold_a_number():
    tokens = [f"tok_{uuid.uuid5(uuid.NAMESPACE_OID, str(number)).hex}" for number in range(2_000)]
    assert sum(map(holds_card_number, tokens)) < 40


@given(st.integers(0, 10**15 - 1), st.lists(st.sampled_from(["", *SEPARATORS[:13]]), min_size=16, max_size=16))
def test_any_number_that_checks_in_any_writing(body, separators):
    digits = f"4{body:015d}"[:15]
    weighed = [int(digit) * (2 - place % 2) for place, digit in enumerate(digits)]
    total = sum(value - 9 if value > 9 else value for value in weighed)
    number = digits + str(-total % 10)
    written = "".join(digit + separator for digit, separator in zip(number, separators, strict=True))
    assert holds_card_number(f"card {written}")


@given(st.binary(min_size=12, max_size=64))
def test_no_random_hexadecimal_token_is_refused(drawn):
    """Some have thirteen digits in a row that check."""
    letters = drawn.hex().upper() if drawn[0] % 2 else drawn.hex()
    if any(letter.isalpha() for letter in letters):
        assert not holds_card_number(f"pm_{letters}")


def test_the_digits_of_a_card_are_no_random_token():
    assert holds_card_number(VISA + VISA)
    assert holds_card_number(f"tok_{VISA}abc")
