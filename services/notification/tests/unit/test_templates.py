"""Every type has texts in every language, and every text renders from exactly its rule's variables."""

import re
import tomllib
from importlib import resources

import jinja2
import pytest

from contracts.cancel_reasons import cancelled_because
from contracts.reasons import published_reasons
from kernel.country import LANGUAGES
from notification.adapters.template_gateway import Templates
from notification.domain.rules import RULES

VALUES = {
    "name": "Somchai",
    "order_number": "TH-26-000001",
    "shop_name": "Baan Thai",
    "total": "THB 1,250.00",
    "amount": "VND 50,000",
    "product_title": "Nón lá",
    "reason_code": "commerce.stock.sold_out",
}


def texts(language):
    return tomllib.loads((resources.files("notification.adapters") / "data" / f"{language}.toml").read_text("utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.notification_type)
def test_every_type_renders_from_its_own_variables(rule, language):
    assert rule.notification_type in texts(language)
    params = {name: VALUES[name] for name in rule.params}
    written = Templates().render(rule.notification_type, language, params)
    assert written.title
    assert written.body
    assert "{{" not in written.title + written.body


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_have_the_same_messages_with_the_same_variables(language):
    variables = re.compile(r"{{ (\w+) }}")
    english, other = texts("en"), texts(language)
    assert other.keys() == english.keys()
    for message_type in (*RULES, "otp", "unreadable"):
        for part in ("title", "body"):
            expected = set(variables.findall(english[message_type][part]))
            assert set(variables.findall(other[message_type][part])) == expected, (message_type, part)


def test_a_missing_variable_is_an_error_and_not_an_empty_space():
    with pytest.raises(jinja2.UndefinedError):
        Templates().render("order_paid", "th", {"order_number": "TH-26-000001"})


def test_an_unknown_language_reads_english():
    assert Templates().render("money_sent", "xx", {"amount": "SGD 1.00"}).title == "You sent SGD 1.00"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cancelled_order_says_why_and_of_money_only_that_none_was_taken(language):
    """As everybody says it: of the buyer's wallet nothing is known, it may be empty, of another currency, or missing."""
    templates, order = Templates(), {"order_number": "TH-26-000001", "shop_name": "Baan Thai", "total": "THB 1.00"}
    for code in (*published_reasons()["commerce"], *published_reasons()["payment"], "something.new"):
        body = templates.render("order_cancelled", language, order | {"reason_code": code}).body
        assert body == cancelled_because(code, language), code


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("message_type", "params"),
    [
        ("of_tomorrow", {}),
        ("order_paid", {"order_number": "TH-26-000001"}),
        ("money_sent", {"amount": {"amount_minor": 1, "currency": "XXX"}}),
        ("money_sent", {"amount": {"amount_minor": 10**20, "currency": "THB"}}),
        ("money_sent", {"amount": {"amount_minor": "1", "currency": "THB"}}),
    ],
)
def test_one_row_that_cannot_be_shown_says_so_in_the_readers_language(language, message_type, params):
    assert (
        Templates().render_or_placeholder(message_type, language, params).title
        == texts(language)["unreadable"]["title"]
    )
