"""What the web client does with words that were not sent: they are written again, or stand there to be sent again."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from testkit.wait import eventually

pytestmark = [pytest.mark.component, pytest.mark.timeout(120)]
SEND = "POST /v1/dialogs/d1/messages"
MUTED = (403, "messaging.dialog.not_allowed")
NO_TARGET = (409, "messaging.message.reply_target_missing")


async def opened(page):
    await page.click("#dialogs [data-dialog=d1]")
    await page.locator("#messages [data-seq='3']").wait_for()


async def write(page, words):
    await page.fill("#words", words)
    await page.press("#words", "Enter")


def sent_by(page):
    """The bodies of messages, in order."""
    sent = []
    page.on(
        "request",
        lambda request: (
            sent.append(request.post_data_json)
            if request.url.endswith("/d1/messages") and request.method == "POST"
            else None
        ),
    )
    return sent


async def refused_while_writing(api, page, first, then):
    """The words ``first`` are refused when ``then`` stand in the field already."""
    hold = api.hold(f"{SEND}$", answer=True)
    await write(page, first)
    await asyncio.wait_for(hold.came.wait(), 10)
    await page.fill("#words", then)
    hold.released.set()
    await page.locator("#messages .failed").wait_for()


async def test_refused_words_are_written_again_where_nothing_else_is(signed_in, chat_api):
    api = chat_api(failing={SEND: MUTED})
    async with signed_in(api) as page:
        await opened(page)
        await page.locator("[data-seq='2'] [title=Reply]").dispatch_event("click")
        await write(page, "a long letter")
        await expect(page.locator("#words")).to_have_value("a long letter")
        await expect(page.locator("#answering")).to_contain_text("from Chai")
        await expect(page.locator("#typing.problem")).to_have_text("Refused with 403")
        await expect(page.locator("#messages li")).to_have_count(3)  # they stand in one place
        del api.failing[SEND]
        await page.press("#words", "Enter")
        await expect(page.locator("#messages")).to_contain_text("a long letter")
        await expect(page.locator("#words")).to_have_value("")


async def test_words_that_answer_what_is_hidden_since_go_as_words_of_their_own(signed_in, chat_api):
    api = chat_api(failing={SEND: NO_TARGET})
    async with signed_in(api) as page:
        sent = sent_by(page)
        await opened(page)
        await page.locator("[data-seq='2'] [title=Reply]").dispatch_event("click")
        await write(page, "a long letter")
        await expect(page.locator("#words")).to_have_value("a long letter")
        await expect(page.locator("#answering")).to_be_hidden()
        del api.failing[SEND]
        await page.press("#words", "Enter")
        await eventually(lambda: len(sent) == 2, what="it is sent")
        assert [each.get("reply_to_seq") for each in sent] == [2, None]


async def test_a_message_that_was_refused_while_others_were_written_can_be_sent_again(signed_in, chat_api):
    api = chat_api(failing={SEND: MUTED})
    async with signed_in(api) as page:
        sent = sent_by(page)
        await opened(page)
        await refused_while_writing(api, page, "a long letter", "another")
        await expect(page.locator("#words")).to_have_value("another")
        failed = page.locator("#messages .failed")
        await expect(failed).to_contain_text("not sent: Refused with 403")
        del api.failing[SEND]
        await failed.get_by_text("Send again").press("Enter")
        await expect(failed).to_have_count(0)
        await eventually(lambda: len(sent) == 2, what="it is sent again")
        assert sent[0] == sent[1]  # also its id
        await expect(page.locator("#messages li").last).to_contain_text("a long letter")
        await expect(page.locator("#words")).to_have_value("another")
        await expect(page.locator("#words")).to_be_focused()


async def test_a_message_that_is_refused_again_is_written_again_once_the_field_is_empty(signed_in, chat_api):
    api = chat_api(failing={SEND: MUTED})
    async with signed_in(api) as page:
        await opened(page)
        await refused_while_writing(api, page, "a long letter", "another")
        await page.fill("#words", "")
        await page.get_by_text("Send again").click()
        await expect(page.locator("#words")).to_have_value("a long letter")
        await expect(page.locator("#messages li")).to_have_count(3)


async def test_what_may_have_come_to_the_server_is_not_written_again_but_sent_again_as_the_same(signed_in, chat_api):
    """Written again it would have another id, and stand there twice."""
    api = chat_api(failing={SEND: (500, "service.broken")})
    async with signed_in(api) as page:
        sent = sent_by(page)
        await opened(page)
        await write(page, "a long letter")
        await page.locator("#messages .failed").wait_for()
        await expect(page.locator("#words")).to_have_value("")
        del api.failing[SEND]
        await page.get_by_text("Send again").click()
        await eventually(lambda: len(sent) == 2, what="it is sent again")
        assert sent[0] == sent[1]
