"""Who wrote a message is named in the web client, also when they are not in the dialog any more."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.component, pytest.mark.timeout(120)]
AT = "2026-01-01T00:00:00Z"
MEMBERS = "GET /v1/dialogs/d1/members"


def serve(api, senders, pages):
    """Messages of these senders, and the members page by page."""
    items = [
        {
            "seq": seq,
            "client_message_id": f"m{seq}",
            "sender_id": sender,
            "sent_at": AT,
            "version": 1,
            "content": {"type": "text", "text": f"words {seq}"},
            "reactions": [],
            "attachments": [],
        }
        for seq, sender in enumerate(senders, 1)
    ]
    api.answers["GET /v1/dialogs/d1/messages"] = lambda _: {
        "items": items,
        "has_before": False,
        "last_seq": len(items),
    }

    def members(query):
        place = int(query.get("cursor", "c=0").removeprefix("c="))
        following = f"c={place + 1}" if place + 1 < len(pages) else None
        people = [{"user_id": each, "display_name": f"{each} S."} for each in pages[place]]
        return {"items": people, "next_cursor": following}

    api.answers[MEMBERS] = members


async def opened(page):
    await page.click("#dialogs [data-dialog=d1]")
    await page.locator("#messages [data-seq]").first.wait_for()


def names(page):
    return page.locator("#messages .who")


async def test_who_left_before_the_page_was_loaded_is_named_and_asked_for_once(signed_in, chat_api):
    api = chat_api()
    serve(api, ["Chai", "Dao", "Dao", "Ek", "Anong"], [["Anong", "Chai"]])
    api.answers["GET /v1/users/Dao"] = lambda _: {"user_id": "Dao", "name": "Dao W."}
    api.failing["GET /v1/users/Ek"] = (404, "auth.user.not_found")
    async with signed_in(api) as page:
        await opened(page)
        await expect(names(page)).to_have_text(["Chai S.", "Dao W.", "Dao W.", "Somebody"])
        api.tell({"type": "typing", "user_id": "Dao"})
        await expect(page.locator("#typing")).to_contain_text("Dao W.")
        await asyncio.sleep(0.4)
        assert len(api.of("Anong", "GET /v1/users/(Dao|Ek)$")) == 2
        assert api.of("Anong", "GET /v1/users/(Chai|Anong)$") == []


async def test_members_of_every_page_are_named(signed_in, chat_api):
    api = chat_api()
    serve(api, ["Chai", "Dao"], [["Anong"], ["Chai"], ["Dao"]])
    async with signed_in(api) as page:
        await opened(page)
        await expect(names(page)).to_have_text(["Chai S.", "Dao S."])
        assert len(api.of("Anong", f"{MEMBERS}$")) == 3
        assert api.of("Anong", "GET /v1/users/[CD]") == []


async def test_of_a_very_large_dialog_only_the_first_members_are_listed(signed_in, chat_api):
    api = chat_api()
    serve(api, ["Chai"], [["Anong"]] * 20 + [["Chai"]])
    api.answers["GET /v1/users/Chai"] = lambda _: {"user_id": "Chai", "name": "Chai"}
    async with signed_in(api) as page:
        await opened(page)
        await expect(names(page)).to_have_text(["Chai"])  # asked for by itself
        assert len(api.of("Anong", f"{MEMBERS}$")) == 10
