"""A request of the web client belongs to the session it began with, whoever signs in next, in whichever tab.

Each case is a race: Anong's request hangs, Chai signs in, the connection of the first attempt breaks. The negative
control serves the client with sessions that do not end and ask with the token of whoever is signed in.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import FileChooser, expect

from testkit.wait import eventually

pytestmark = [pytest.mark.component, pytest.mark.timeout(120)]
PATIENCE_MS = 15_000
UNPROTECTED = {
    "session.js": (
        ("return this.signal.aborted;", "return false;"),
        ("return this.#tokens.access_token;", "return read()?.access_token;"),
        ("signal: this.signal", "signal: undefined"),
    )
}
# Retries come at once, all but those of an upload, which wait a second.
HASTE = "Math.random = () => 0.01"
DEAF = "addEventListener('storage', (event) => event.stopImmediatePropagation(), true)"
MESSAGES = "/v1/dialogs/d1/messages"
PICTURE = {"name": "boat.png", "mimeType": "image/png", "buffer": b"p" * 600_000}  # of two pieces


@asynccontextmanager
async def tabs(browser, api):
    """One browser profile; fails when a page had an error that nobody caught."""
    context = await browser.new_context(base_url=api.origin, viewport={"width": 1100, "height": 760})
    context.set_default_timeout(PATIENCE_MS)
    errors = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    await context.add_init_script(HASTE)
    await api.serve(context)
    try:
        yield context
    finally:
        for hold in api.holds:
            hold.released.set()
        await context.close()
    assert errors == [] or api.changes


async def tab(context, script=None):
    page = await context.new_page()
    if script:
        await page.add_init_script(script)
    await page.goto("/chat/")
    return page


async def fill_in(page, who):
    await page.fill("[name=email]", f"{who}@example.com")
    await page.fill("[name=password]", "a long password")
    await page.click("#sign-go")


async def sign_in(page, who):
    await fill_in(page, who)
    await expect(page.locator("#me")).to_have_text(who)


async def open_dialog(page):
    await page.click("#dialogs li")
    await page.locator("#messages li").nth(2).wait_for()


async def sign_out(page):
    await page.click("#out")
    await page.locator("#door").wait_for()


def press(selector):
    return lambda page: page.locator(selector).first.dispatch_event("click")


async def write(page):
    await page.fill("#words", "for the harbour")
    await page.press("#words", "Enter")


async def edit(page):
    await press("[data-seq='1'] [title=Edit]")(page)
    await write(page)


async def open_new(page):
    await page.click("#new")
    await page.fill("#opener [name=people]", "u1\nu2")
    await page.click("#open-go")


async def send_image(page):
    await page.set_input_files("#image", PICTURE)


# What Anong does, which of its requests hangs, and everything that would follow from it.
ACTS = {
    "message": (write, f"POST {MESSAGES}$", f"POST {MESSAGES}$"),
    "edit": (edit, f"PATCH {MESSAGES}/1$", f"PATCH {MESSAGES}"),
    "deletion": (press("[data-seq='1'] [title=Delete]"), f"DELETE {MESSAGES}/1$", f"DELETE {MESSAGES}"),
    "reaction": (press("[data-seq='2'] [title='React ❤️']"), "PUT .*/reactions/", "/reactions/"),
    "reaction taken back": (press("[data-seq='2'] .reactions button"), "DELETE .*/reactions/", "/reactions/"),
    "vote": (press(".options button"), "PUT .*/vote$", "/vote$"),
    "dialog": (open_new, "POST /v1/dialogs$", "POST /v1/dialogs$"),
    "upload": (send_image, "POST /v1/attachments$", f"/v1/attachments|/v1/uploads|POST {MESSAGES}"),
    "piece": (send_image, "PATCH /v1/uploads", f"/v1/attachments|/v1/uploads|POST {MESSAGES}"),
    "scan": (send_image, "GET /v1/attachments/a1$", f"/v1/attachments|/v1/uploads|POST {MESSAGES}"),
}


async def race(browser, api, act, *, other_tab):
    """How many requests came of it with Chai's token, and how many with Anong's after she had signed out."""
    do, hangs, follows = ACTS[act]
    hold = api.hold(hangs)
    async with tabs(browser, api) as context:
        page = await tab(context)
        await sign_in(page, "Anong")
        await open_dialog(page)
        await do(page)
        await asyncio.wait_for(hold.came.wait(), PATIENCE_MS / 1000)
        switching = await tab(context) if other_tab else page
        if other_tab:
            await expect(switching.locator("#me")).to_have_text("Anong")
        await sign_out(switching)
        anongs = len(api.of("Anong", follows))
        await sign_in(switching, "Chai")
        await expect(page.locator("#me")).to_have_text("Chai")
        hold.released.set()
        if api.changes:
            await eventually(lambda: api.of("Chai", follows), what="it is sent as Chai")
        else:
            await asyncio.sleep(1.5 if act == "piece" else 0.4)
        assert "for the harbour" not in await page.content() or api.changes
        return len(api.of("Chai", follows)), len(api.of("Anong", follows)) - anongs


@pytest.mark.parametrize("other_tab", [False, True], ids=["same tab", "other tab"])
@pytest.mark.parametrize("act", ACTS)
async def test_what_hangs_when_they_sign_out_is_never_sent_again(browser, chat_api, act, other_tab):
    assert await race(browser, chat_api(), act, other_tab=other_tab) == (0, 0)


@pytest.mark.parametrize("act", ACTS)
async def test_without_sessions_that_end_it_is_sent_as_the_next_person(browser, chat_api, act):
    as_chai, _ = await race(browser, chat_api(changes=UNPROTECTED), act, other_tab=False)
    assert as_chai > 0


async def late_history(browser, api):
    hold = api.hold(f"GET {MESSAGES}$", answer=True)
    async with tabs(browser, api) as context:
        page = await tab(context)
        await sign_in(page, "Anong")
        await page.click("#dialogs li")
        await asyncio.wait_for(hold.came.wait(), PATIENCE_MS / 1000)
        await sign_out(page)
        await sign_in(page, "Chai")
        await expect(page.locator("#dialogs")).to_contain_text("as Chai sees it")
        hold.released.set()
        await asyncio.sleep(0.4)
        return await page.content()


async def test_an_answer_that_comes_after_the_end_is_not_shown(browser, chat_api):
    content = await late_history(browser, chat_api())
    assert "as Anong sees it" not in content
    assert "from Anong" not in content


async def test_without_sessions_that_end_the_late_answer_is_shown(browser, chat_api):
    assert "from Anong" in await late_history(browser, chat_api(changes=UNPROTECTED))


async def late_refresh(browser, api):
    """Whose tokens are stored when Anong's new ones come after Chai has signed in."""
    hold = api.hold("POST /v1/sessions/refresh$", answer=True)
    async with tabs(browser, api) as context:
        page = await tab(context)
        api.expires_in_s = 10
        await sign_in(page, "Anong")
        await asyncio.wait_for(hold.came.wait(), PATIENCE_MS / 1000)
        api.expires_in_s = 900
        await sign_out(page)
        await sign_in(page, "Chai")
        hold.released.set()
        await asyncio.sleep(0.4)
        return json.loads(await page.evaluate("localStorage['sampan.session']"))["user_id"]


async def test_new_tokens_that_come_after_the_end_are_not_stored(browser, chat_api):
    assert await late_refresh(browser, chat_api()) == "Chai"


async def test_without_sessions_that_end_late_tokens_are_stored(browser, chat_api):
    assert await late_refresh(browser, chat_api(changes=UNPROTECTED)) == "Anong"


async def test_a_tab_that_has_not_heard_of_the_switch_asks_nothing_more(browser, chat_api):
    """The storage tells of it before its event does."""
    api = chat_api()
    hold = api.hold("PUT .*/reactions/")
    async with tabs(browser, api) as context:
        page = await tab(context, DEAF)
        await sign_in(page, "Anong")
        await open_dialog(page)
        await press("[data-seq='2'] [title='React ❤️']")(page)
        await asyncio.wait_for(hold.came.wait(), PATIENCE_MS / 1000)
        other = await tab(context)
        await expect(other.locator("#me")).to_have_text("Anong")
        await sign_out(other)
        await sign_in(other, "Chai")
        await expect(page.locator("#me")).to_have_text("Anong")
        hold.released.set()
        await page.locator("#door").wait_for()
        assert len([each for each in api.seen if "/reactions/" in each.what]) == 1
        assert api.of("Chai", "DELETE") == []
        await expect(other.locator("#me")).to_have_text("Chai")


async def test_a_sign_in_that_is_answered_after_somebody_elses_is_nobodys(browser, chat_api):
    api = chat_api()
    hold = api.hold("POST /v1/sessions$", answer=True)
    async with tabs(browser, api) as context:
        page, other = await tab(context), await tab(context)
        await fill_in(page, "Anong")
        await asyncio.wait_for(hold.came.wait(), PATIENCE_MS / 1000)
        await sign_in(other, "Chai")
        await expect(page.locator("#me")).to_have_text("Chai")
        async with page.expect_request("/v1/sessions/session-Anong.1"):
            hold.released.set()
        await asyncio.sleep(0.2)
        for each in (page, other):
            await expect(each.locator("#me")).to_have_text("Chai")
        assert [each.what for each in api.of("Anong", "")] == ["DELETE /v1/sessions/session-Anong.1"]


@pytest.mark.parametrize("sockets", [True, False], ids=["socket", "no socket"])
async def test_cursors_and_typing_go_with_the_session_they_began_with(browser, chat_api, sockets):
    api = chat_api(sockets=sockets)
    hold = api.hold("PUT .*/read-cursor$")
    async with tabs(browser, api) as context:
        page = await tab(context)
        await sign_in(page, "Anong")
        if sockets:
            await page.wait_for_selector("#link.live")
        await open_dialog(page)
        await page.locator("#words").press_sequentially("dra")
        if not sockets:
            await asyncio.wait_for(hold.came.wait(), PATIENCE_MS / 1000)
        other = await tab(context)
        await expect(other.locator("#me")).to_have_text("Anong")
        await sign_out(other)
        await sign_in(other, "Chai")
        await expect(page.locator("#me")).to_have_text("Chai")
        before = len(api.of("Anong", ""))
        hold.released.set()
        await asyncio.sleep(0.6)
        assert await page.input_value("#words") == ""
        assert api.of("Chai", "read-cursor|frame ack|frame typing") == []
        assert api.of("Anong", "frame typing|read-cursor") != []
        assert len(api.of("Anong", "")) == before


async def test_a_file_chosen_after_the_switch_is_not_sent(browser, chat_api):
    """The file picker is the browser's own and stands open while another tab signs out and in."""
    api = chat_api()
    async with tabs(browser, api) as context:
        page = await tab(context)
        choosers: asyncio.Queue[FileChooser] = asyncio.Queue()
        page.on("filechooser", choosers.put_nowait)  # early: the browser is asked to tell of it, and does not answer
        await sign_in(page, "Anong")
        await open_dialog(page)
        await page.click(".pick")
        chooser = await asyncio.wait_for(choosers.get(), 10)
        other = await tab(context)
        await expect(other.locator("#me")).to_have_text("Anong")
        await sign_out(other)
        await sign_in(other, "Chai")
        await expect(page.locator("#me")).to_have_text("Chai")
        await open_dialog(page)
        await chooser.set_files(PICTURE)
        await asyncio.sleep(0.4)
        assert api.of("Chai", "attachments|uploads") == []
        await page.set_input_files("#image", PICTURE)  # her own is sent
        await eventually(lambda: api.of("Chai", f"POST {MESSAGES}$"), what="the image is sent")


async def test_a_session_that_is_refused_ends_and_the_next_person_can_sign_in(browser, chat_api):
    api = chat_api()
    async with tabs(browser, api) as context:
        page = await tab(context)
        await context.route("**/v1/sync", lambda route: route.fulfill(status=403, body="{}"))
        await fill_in(page, "Anong")
        await eventually(lambda: api.of("Anong", "DELETE /v1/sessions/"), what="the server is told")
        await expect(page.locator("#door")).to_be_visible()
        assert await page.evaluate("localStorage.length") == 0
        await context.unroute("**/v1/sync")
        await sign_in(page, "Chai")
        await open_dialog(page)


async def test_a_request_whose_connection_breaks_is_repeated_as_the_same_act(browser, chat_api):
    api = chat_api()
    hold = api.hold("POST /v1/dialogs$")
    async with tabs(browser, api) as context:
        page = await tab(context)
        await sign_in(page, "Anong")
        await open_new(page)
        await asyncio.wait_for(hold.came.wait(), PATIENCE_MS / 1000)
        hold.released.set()
        await eventually(lambda: len(api.of("Anong", "POST /v1/dialogs$")) == 2, what="the second try")
        await expect(page.locator("#opener")).not_to_be_visible()
        await open_new(page)
        await eventually(lambda: len(api.of("Anong", "POST /v1/dialogs$")) == 3, what="another act")
    broken, again, another = [each.key for each in api.of("Anong", "POST /v1/dialogs$")]
    assert broken
    assert broken == again != another
