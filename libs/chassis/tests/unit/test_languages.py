"""Which language and locale of ours a reader asks for."""

import pytest
from aiohttp.test_utils import make_mocked_request

from chassis.http import reading_language, reading_locale


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"), ("", "en"), ("th", "th"), ("id-ID", "id"), ("in", "id"), ("ms-MY, en;q=0.5", "ms"),
        ("fr, vi;q=0.8, th;q=0.9", "th"), ("fil-PH", "en"), ("en-SG, th;q=0.9", "en"), ("fr-FR", "en"), ("*", "en"),
        ("th;q=0, vi;q=0.1", "vi"), ("th;q=x, vi;q=0.1", "vi"), ("x" * 400, "en"), ("th" + ", x" * 200, "th"), (",;q=,,", "en"),
    ],
)  # fmt: skip
def test_the_readers_language(header, language):
    assert reading_language(asking(header)) == language


@pytest.mark.parametrize(
    ("header", "given", "locale"),
    [
        (None, None, "en-US"), ("fr-FR", None, "en-US"), ("th", None, "th-TH"), ("MS-my, en;q=0.5", None, "ms-MY"),
        ("en, vi;q=0.8", None, "en-US"), ("en;q=0.5, fil-PH", None, "fil-PH"), ("th;q=0, id;q=0.1", None, "id-ID"),
        ("th", "vi-VN", "vi-VN"), ("th", "en-SG", "en-SG"), ("th", "id", "id-ID"), ("th", "fr", "th-TH"),
    ],
)  # fmt: skip
def test_the_readers_locale(header, given, locale):
    assert reading_locale(asking(header), given) == locale


def asking(header):
    return make_mocked_request("GET", "/", headers={} if header is None else {"Accept-Language": header})
