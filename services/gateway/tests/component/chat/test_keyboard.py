"""The web client without a mouse: dialogs, messages and what is done with them, pictures."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import FileChooser, expect

pytestmark = [pytest.mark.component, pytest.mark.timeout(120)]
DIALOG = "#dialogs [data-dialog=d1]"


def shown(page, seq):
    return page.locator(f"#messages [data-seq='{seq}']")


async def opened(page):
    await page.focus(DIALOG)
    await page.keyboard.press("Enter")
    await shown(page, 3).wait_for()
    await expect(page.locator("#words")).to_be_focused()


async def tab_to(page, target, key="Tab"):
    for _ in range(40):
        await page.keyboard.press(key)
        if await target.evaluate("each => each === document.activeElement"):
            return
    pytest.fail(f"{key} does not come to {target}")


@pytest.mark.parametrize("key", ["Enter", "Space"])
async def test_a_key_that_opens_a_dialog_is_not_written_into_its_words(signed_in, chat_api, key):
    async with signed_in(chat_api()) as page:
        await page.focus(DIALOG)
        await page.keyboard.press(key)
        await shown(page, 3).wait_for()
        await expect(page.locator("#words")).to_be_focused()
        await expect(page.locator("#words")).to_have_value("")
        await page.keyboard.type("hello")
        await expect(page.locator("#words")).to_have_value("hello")


async def test_arrows_go_from_message_to_message_and_tab_to_what_is_done_with_one(signed_in, chat_api):
    async with signed_in(chat_api()) as page:
        await opened(page)
        await tab_to(page, shown(page, 3), "Shift+Tab")  # the last one
        assert await shown(page, 3).evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
        for key, seq in (("ArrowUp", 2), ("ArrowUp", 1), ("ArrowUp", 1), ("End", 3), ("Home", 1)):
            await page.keyboard.press(key)
            await expect(shown(page, seq)).to_be_focused()
        for title in ("Reply", "Edit", "Delete"):
            tool = shown(page, 1).get_by_title(title)
            await tab_to(page, tool)
            await expect(tool).to_be_visible()
        assert await page.locator("#messages > [tabindex='0']").count() == 1
        await page.keyboard.press("ArrowDown")
        await expect(shown(page, 2)).to_be_focused()
        await expect(shown(page, 1).locator(".tools")).to_be_hidden()


async def test_a_message_is_answered_edited_and_reacted_to_by_keyboard(signed_in, chat_api):
    api = chat_api()
    async with signed_in(api) as page:
        await opened(page)
        await tab_to(page, shown(page, 3), "Shift+Tab")
        await page.keyboard.press("Home")
        await tab_to(page, shown(page, 1).get_by_title("Edit"))
        await page.keyboard.press("Enter")
        await expect(page.locator("#words")).to_be_focused()
        await expect(page.locator("#words")).to_have_value("from Anong")
        await page.keyboard.press("Escape")
        await tab_to(page, shown(page, 1), "Shift+Tab")  # where it was
        await page.keyboard.press("ArrowDown")
        await tab_to(page, shown(page, 2).get_by_title("React 😂"))
        await page.keyboard.press("Space")
        await expect(page.locator("#typing.problem")).to_have_count(0)
        api.tell(
            {
                "type": "reaction.changed",
                "seq": 4,
                "message_seq": 2,
                "user_id": "Anong",
                "emoji": "😂",
                "count": 1,
                "added": True,
            }
        )
        await expect(shown(page, 2).locator(".reactions")).to_contain_text("😂 1")
        await expect(shown(page, 2).get_by_title("React 😂")).to_be_focused()  # the row is drawn anew
        assert api.of("Anong", "PUT /v1/dialogs/d1/messages/2/reactions/")
        await tab_to(page, shown(page, 2).get_by_title("Reply"))
        await page.keyboard.press("Enter")
        await expect(page.locator("#answering")).to_contain_text("from Chai")


async def test_a_dialog_keeps_the_focus_when_its_row_is_drawn_anew(signed_in, chat_api):
    async with signed_in(chat_api()) as page:
        await opened(page)
        await page.focus(DIALOG)
        await page.locator(DIALOG).evaluate("row => { row.querySelector('.name').textContent = 'another' }")
        await page.evaluate(
            "document.querySelector('#words').dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))"
        )
        await expect(page.locator(f"{DIALOG} .name")).to_have_text("Harbour as Anong sees it")
        await expect(page.locator(DIALOG)).to_be_focused()


async def test_a_second_tap_puts_the_tools_away(browser, sign_in, chat_api):
    api = chat_api()
    context = await browser.new_context(base_url=api.origin, viewport={"width": 375, "height": 640}, has_touch=True)
    try:
        await api.serve(context)
        page = await context.new_page()
        await page.goto("/chat/")
        await sign_in(page, "Anong")
        await page.tap(DIALOG)
        tools = shown(page, 2).locator(".tools")
        await shown(page, 2).locator(".bubble").tap()
        await expect(tools).to_be_visible()
        await page.mouse.move(1, 1)
        await shown(page, 2).locator(".bubble").dispatch_event("click")
        await expect(tools).to_be_hidden()
    finally:
        await context.close()


async def test_the_picker_of_images_opens_by_keyboard(signed_in, chat_api):
    async with signed_in(chat_api()) as page:
        choosers: asyncio.Queue[FileChooser] = asyncio.Queue()
        page.on("filechooser", choosers.put_nowait)  # early: the browser is asked to tell of it, and does not answer
        await opened(page)
        await tab_to(page, page.locator("#image"), "Shift+Tab")
        assert await page.locator(".pick").evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
        await page.keyboard.press("Space")
        assert await asyncio.wait_for(choosers.get(), 10)
