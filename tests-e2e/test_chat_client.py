"""The web client at /chat in a real browser: two people, a wide screen and a phone, a lost connection, an order."""

from __future__ import annotations

import shutil
import uuid
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from people import PASSWORD, buyer_with, order, person, settled, shop_with_product
from playwright.async_api import async_playwright, expect

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


async def test_two_people_talk(stack, api, browser):
    one, other = await person(api, "Anong"), await person(api, "Budi")
    url = stack.gateway_url
    async with device(browser, url, one) as wide, device(browser, url, other, width=390, height=800) as phone:
        await wide.click("#new")
        await wide.fill("#opener [name=people]", str(other.user_id))
        await wide.click("#open-go")
        await wide.wait_for_selector("#talk.on")
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


async def test_a_wrong_password_is_said(stack, browser):
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{stack.gateway_url}/chat/")
    await page.fill("[name=email]", f"{uuid.uuid4().hex}@example.com")
    await page.fill("[name=password]", "not the password")
    await page.click("#sign-go")
    await expect(page.locator("#sign-problem")).to_be_visible(timeout=PATIENCE_MS)
    await context.close()
