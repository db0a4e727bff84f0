"""The web client at /chat in a real browser: wide and phone, a lost connection, images, an order, half-made clicks."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import uuid
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from people import PASSWORD, buyer_with, order, person, settled, shop_with_product
from PIL import Image
from playwright.async_api import async_playwright, expect

from testkit.wait import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
PATIENCE_MS = 20_000


@pytest_asyncio.fixture(loop_scope="session")
async def browser():
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is not installed; `make browser` installs it"
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield started
        finally:
            await started.close()


@asynccontextmanager
async def device(browser, url, who, *, width=1100, height=760):
    """A page signed in as somebody; fails when the console had an error that the test did not expect."""
    context = await browser.new_context(viewport={"width": width, "height": height})
    page = await context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if "Content Security Policy" in line.text else None)
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(f"{url}/chat/")
    await page.fill("[name=email]", who.email)
    await page.fill("[name=password]", PASSWORD)
    await page.click("#sign-go")
    await page.wait_for_selector("#link.live")
    try:
        yield page
    finally:
        await context.close()
    assert errors == []


def said(page, text):
    return page.locator("#messages").get_by_text(text)


async def write(page, text):
    await page.fill("#words", text)
    await page.press("#words", "Enter")


async def open_with(page, other):
    await page.click("#new")
    await page.fill("#opener [name=people]", str(other.user_id))

    async def opened():
        """Messaging may not have heard of who came a moment ago; then the form is there again."""
        if await page.locator("#opener").is_visible():
            await page.click("#open-go")
        return await page.wait_for_selector("#talk.on", timeout=2_000)

    await eventually(opened, timeout_s=PATIENCE_MS / 1000, what="the dialog is open")


def noise(width, height):
    """A PNG that does not compress, so that it takes several pieces."""
    picture = io.BytesIO()
    Image.frombytes("RGB", (width, height), os.urandom(width * height * 3)).save(picture, "PNG")
    return picture.getvalue()


def loaded(image, width):
    """Waits until the image's bytes are here and decoded, and are so many pixels wide."""
    return expect(image).to_have_js_property("naturalWidth", width, timeout=PATIENCE_MS)


async def test_two_people_talk(stack, api, browser):
    one, other = await person(api, "Anong"), await person(api, "Budi")
    url = stack.gateway_url
    async with device(browser, url, one) as wide, device(browser, url, other, width=390, height=800) as phone:
        await open_with(wide, other)
        hello = f"สวัสดี {uuid.uuid4().hex[:6]} <b>👋</b>"
        await write(wide, hello)
        await expect(phone.locator("#dialogs .unread")).to_have_text("1", timeout=PATIENCE_MS)
        await phone.click("#dialogs li")
        await said(phone, hello).wait_for()
        await said(wide, "✓✓ read").wait_for()
        await phone.fill("#words", "Halo")
        await expect(wide.locator("#typing")).to_contain_text("is typing", timeout=PATIENCE_MS)
        await phone.press("#words", "Enter")
        answer = wide.locator("#messages li", has_text="Halo")
        await answer.hover()
        await answer.locator(".tools button").first.click()
        await expect(phone.locator(".reactions button")).to_have_text("👍 1", timeout=PATIENCE_MS)
        # The phone goes through a tunnel.
        await phone.context.set_offline(True)
        await write(wide, "while you were away")
        await write(phone, "from the tunnel")
        await phone.context.set_offline(False)
        await said(phone, "while you were away").wait_for()
        await said(wide, "from the tunnel").wait_for()
        await expect(wide.locator("#messages li", has_text="from the tunnel")).to_have_count(1)
        # Edited and deleted on one screen, changed on the other.
        mine = wide.locator("#messages li", has_text="while you were away")
        await mine.hover()
        await mine.get_by_title("Edit").click()
        await write(wide, "while you were gone")
        await said(phone, "while you were gone").wait_for()
        mine = wide.locator("#messages li", has_text="while you were gone")
        await mine.hover()
        await mine.get_by_title("Delete").click()
        await said(phone, "This message was deleted").wait_for()
        # What is stored is what a fresh look shows.
        await wide.reload()
        await said(wide, hello).wait_for()
        await said(wide, "from the tunnel").wait_for()


async def test_an_image_is_sent_seen_small_and_opened(stack, api, browser):
    one, other = await person(api, "Anong"), await person(api, "Budi")
    url = stack.gateway_url
    async with device(browser, url, one, width=390, height=800) as phone, device(browser, url, other) as wide:
        await open_with(phone, other)
        pieces = []
        phone.on("request", lambda request: pieces.append(request) if request.method == "PATCH" else None)
        content = noise(800, 600)
        await phone.set_input_files("#image", {"name": "market.png", "mimeType": "image/png", "buffer": content})
        await expect(phone.locator(".picture img")).to_have_attribute("alt", "market.png", timeout=PATIENCE_MS)
        assert len(pieces) == -(-len(content) // (512 * 1024))
        await expect(wide.locator("#dialogs .last")).to_have_text("📷 Image", timeout=PATIENCE_MS)
        await wide.click("#dialogs li")
        for page, small, whole in ((wide, 320, 800), (phone, 320, 800)):
            image = page.locator("#messages .picture img")
            await image.wait_for()
            await loaded(image, small)
            await page.click("#messages .picture")
            opened = page.locator(".viewer img")
            await opened.wait_for()
            await loaded(opened, whole)
            box, view = await opened.bounding_box(), page.viewport_size
            assert box["width"] <= view["width"]
            assert box["height"] <= view["height"]
            await page.keyboard.press("Escape")
            await expect(page.locator(".viewer")).to_have_count(0)
        # What is no picture is refused before or after it is sent, and said.
        refused = {"name": "notes.png", "mimeType": "image/png", "buffer": b"not a picture at all"}
        await phone.set_input_files("#image", refused)
        await expect(phone.locator("#typing.problem")).to_contain_text("refused", timeout=PATIENCE_MS)
        await expect(wide.locator(".picture")).to_have_count(1)


async def test_a_click_is_not_lost_when_something_is_drawn_in_the_midst_of_it(stack, api, browser):
    one, other = await person(api, "Anong"), await person(api, "Budi")
    url = stack.gateway_url
    async with device(browser, url, one) as wide, device(browser, url, other) as phone:
        await open_with(wide, other)
        await write(wide, "one of many")
        await phone.click("#dialogs li")
        await said(wide, "✓✓ read").wait_for()
        mine = wide.locator("#messages li", has_text="one of many")
        await mine.hover()
        await mine.get_by_title("React 😂").hover()
        await wide.mouse.down()
        await phone.fill("#words", "Hal")
        await expect(wide.locator("#typing")).to_contain_text("is typing", timeout=PATIENCE_MS)
        await wide.mouse.up()
        await expect(phone.locator(".reactions button")).to_have_text("😂 1", timeout=PATIENCE_MS)


async def test_the_card_follows_the_order(stack, api, browser):
    seller, _, variant_id = await shop_with_product(api, on_hand=5)
    buyer = await buyer_with(api, 1_000_00)
    async with device(browser, stack.gateway_url, buyer) as page:
        checkout = await settled(buyer, await order(buyer, variant_id))
        await page.locator("#dialogs li").first.click()
        status = page.locator("[data-card=order] .status")
        await expect(status).to_have_text("paid", timeout=PATIENCE_MS)
        order_id = checkout["orders"][0]["order_id"]
        for step in ("processing", "shipped"):
            await seller.post(f"/v1/orders/{order_id}/fulfilment", {"status": step})
        await expect(status).to_have_text("shipped", timeout=PATIENCE_MS)


async def test_what_changes_while_a_conversation_is_being_opened_is_shown(stack, api, browser):
    seller, _, variant_id = await shop_with_product(api, on_hand=5)
    buyer = await buyer_with(api, 1_000_00)
    checkout = await settled(buyer, await order(buyer, variant_id))
    order_path = f"/v1/orders/{checkout['orders'][0]['order_id']}"
    dialog_id, came = None, asyncio.Event()

    async def shown(status):
        nonlocal dialog_id
        [dialog_id] = [each["dialog_id"] for each in (await buyer.get("/v1/dialogs", kind="topic"))["items"]]
        items = (await buyer.get(f"/v1/dialogs/{dialog_id}/messages"))["items"]
        return [each["card"]["status"] for each in items if each["card"]] == [status]

    async def late(route):
        answer = await route.fetch()
        await came.wait()
        await route.fulfill(response=answer)

    await eventually(lambda: shown("paid"), timeout_s=30, what="the card says paid")
    async with device(browser, stack.gateway_url, buyer) as page:
        await page.route("**/messages?limit=50", late)
        async with page.expect_request("**/messages?limit=50"):
            await page.locator("#dialogs li").first.click()
        await asyncio.sleep(0.5)  # the old page is on its way
        for step in ("processing", "shipped"):
            await seller.post(f"{order_path}/fulfilment", {"status": step})
        await eventually(lambda: shown("shipped"), timeout_s=30, what="the card says shipped")
        await asyncio.sleep(1)  # and the socket told so
        came.set()
        await expect(page.locator("[data-card=order] .status")).to_have_text("shipped", timeout=PATIENCE_MS)


async def test_a_wrong_password_is_said(stack, browser):
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{stack.gateway_url}/chat/")
    await page.fill("[name=email]", f"{uuid.uuid4().hex}@example.com")
    await page.fill("[name=password]", "not the password")
    await page.click("#sign-go")
    await expect(page.locator("#sign-problem")).to_be_visible(timeout=PATIENCE_MS)
    await context.close()


async def stored(page):
    """All that the page keeps in the browser, and all that it shows or remembers."""
    return await page.evaluate(
        """() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, document.title,
            location.href, document.documentElement.outerHTML,
            [...document.querySelectorAll("input, textarea")].map((each) => each.value)])"""
    )


async def nothing_left(page, *words):
    """Signed out, and not one of these words anywhere."""
    await page.locator("#door").wait_for()
    await expect(page.locator("#room")).to_be_hidden()

    async def gone():
        found = await stored(page)
        return not [word for word in words if word in found]

    await eventually(gone, timeout_s=5, what="what they wrote is gone from the page and its storage")
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0


async def talking(page, other):
    """A dialog with a sent message, a draft and a reply begun; the words of it."""
    sent, draft = f"secret {uuid.uuid4().hex[:8]}", f"draft {uuid.uuid4().hex[:8]}"
    await open_with(page, other)
    await write(page, sent)
    await said(page, sent).first.wait_for()
    await page.fill("#words", draft)
    assert sent in await stored(page)
    return sent, draft


async def test_after_sign_out_nothing_of_them_is_left_in_any_tab(stack, api, browser):
    one, other = await person(api, "Anong"), await person(api, "Budi")
    async with device(browser, stack.gateway_url, one) as page:
        sent, draft = await talking(page, other)
        second = await page.context.new_page()
        await second.goto(page.url)
        await said(second, sent).wait_for()
        kept = await page.evaluate("JSON.stringify({...localStorage})")
        assert not [word for word in (one.email, "Anong", sent, draft) if word in kept]
        await page.click("#out")
        words = (sent, draft, one.email, str(one.user_id), str(other.user_id), "Anong", "Budi")
        await nothing_left(page, *words)
        await nothing_left(second, *words)
        for each in (page, second):
            await each.reload()
            await nothing_left(each, *words)


async def test_a_session_that_is_revoked_elsewhere_leaves_nothing_behind(stack, api, browser):
    one, other = await person(api, "Anong"), await person(api, "Budi")
    async with device(browser, stack.gateway_url, one) as page:
        sent, draft = await talking(page, other)
        session = await page.evaluate("JSON.parse(localStorage['sampan.session']).session_id")
        await one.delete(f"/v1/sessions/{session}")
        await nothing_left(page, sent, draft, one.email, "Budi")


async def test_signed_out_without_a_network_is_signed_out(stack, api, browser):
    one, other = await person(api, "Anong"), await person(api, "Budi")
    async with device(browser, stack.gateway_url, one) as page:
        sent, draft = await talking(page, other)
        await page.context.set_offline(True)
        await page.click("#out")
        await nothing_left(page, sent, draft, one.email, "Budi")
        await page.context.set_offline(False)


async def test_who_signs_in_next_sees_nothing_of_who_was_there(stack, api, browser):
    one, other, third = await person(api, "Anong"), await person(api, "Budi"), await person(api, "Chai")
    async with device(browser, stack.gateway_url, one) as page:
        sent, draft = await talking(page, other)
        second = await page.context.new_page()
        await second.goto(page.url)
        await said(second, sent).wait_for()
        await page.click("#out")
        await page.locator("#door").wait_for()
        await page.fill("[name=email]", third.email)
        await page.fill("[name=password]", PASSWORD)
        await page.click("#sign-go")
        for each in (page, second):
            await expect(each.locator("#me")).to_have_text("Chai", timeout=PATIENCE_MS)
            await each.wait_for_selector("#link.live")
            found = await stored(each)
            assert not [word for word in (sent, draft, "Anong", "Budi", one.email) if word in found]
