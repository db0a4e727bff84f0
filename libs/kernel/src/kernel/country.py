"""The six countries, with what follows from each: currency, locale, time zone."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from kernel.money import Currency


class Country(StrEnum):
    """ISO 3166-1 alpha-2 codes of the countries Sampan serves."""

    TH = "TH"
    ID = "ID"
    MY = "MY"
    VN = "VN"
    SG = "SG"
    PH = "PH"

    @property
    def currency(self) -> Currency:
        return _CURRENCIES[self]

    @property
    def default_locale(self) -> str:
        """BCP 47 tag that people of this country read by default."""
        return _LOCALES[self]

    @property
    def default_time_zone(self) -> str:
        """IANA zone of the capital."""
        return _TIME_ZONES[self]


_CURRENCIES: Final = {
    Country.TH: Currency.THB,
    Country.ID: Currency.IDR,
    Country.MY: Currency.MYR,
    Country.VN: Currency.VND,
    Country.SG: Currency.SGD,
    Country.PH: Currency.PHP,
}
_LOCALES: Final = {
    Country.TH: "th-TH",
    Country.ID: "id-ID",
    Country.MY: "ms-MY",
    Country.VN: "vi-VN",
    Country.SG: "en-SG",
    Country.PH: "en-PH",
}
_TIME_ZONES: Final = {
    Country.TH: "Asia/Bangkok",
    Country.ID: "Asia/Jakarta",
    Country.MY: "Asia/Kuala_Lumpur",
    Country.VN: "Asia/Ho_Chi_Minh",
    Country.SG: "Asia/Singapore",
    Country.PH: "Asia/Manila",
}
LOCALES: Final = ("th-TH", "id-ID", "ms-MY", "vi-VN", "en-US", "en-SG", "en-PH", "fil-PH")
LANGUAGES: Final = ("en", "th", "id", "ms", "vi")  # those that Sampan writes


def text_language(locale: str) -> str:
    """Which of the five text languages (th, id, ms, vi, en) a locale reads; en for anything else."""
    language = locale.split("-", maxsplit=1)[0].lower()
    return language if language in LANGUAGES else "en"
