"""What happens to a message changes what the web client shows of it, and nothing else: the page, the row, the words."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import expect

from testkit.wait import eventually

pytestmark = [pytest.mark.component, pytest.mark.timeout(120)]
AT = "2026-01-01T00:00:00Z"
LOOK = "GET /v1/dialogs/d1$"


def message(seq, text):
    return {
        "seq": seq,
        "client_message_id": f"m{seq}",
        "sender_id": "Chai",
        "sent_at": AT,
        "version": 1,
        "content": {"type": "text", "text": text},
        "reactions": [],
        "attachments": [],
    }


class Dialogs:
    """What the server has: the words by seq of d1, and the quiet d2. Only what is asked for is seen."""

    def __init__(self, api, count, *, unread=0):
        self.api = api
        self.words = {seq: f"words {seq}." for seq in range(1, count + 1)}
        self.last_seq, self.unread, self.read_seq = count, unread, count - unread
        api.answers = {
            "POST /v1/sync": lambda _: {
                "account_seq": 0,
                "dialogs": [{"dialog": each, "events": []} for each in (self.row(), self.other())],
            },
            "GET /v1/dialogs/d1": lambda _: self.row(),
            "GET /v1/dialogs/d1/messages": self.page,
            "GET /v1/dialogs/d2/messages": lambda _: {"items": [], "has_before": False, "last_seq": 0},
            "GET /v1/dialogs/d2/members": lambda _: {"items": []},
        }

    def row(self):
        last = max(self.words)
        return {
            **self.api.dialog("Anong"),
            "last_seq": self.last_seq,
            "last_message": message(last, self.words[last]),
            "me": {"read_seq": self.read_seq, "unread": self.unread, "pinned_at": None},
        }

    def other(self):
        me = {"read_seq": 0, "unread": 0, "pinned_at": None}
        other = {"dialog_id": "d2", "title": "Pier", "last_seq": 0, "last_message": None, "me": me}
        return {**self.api.dialog("Anong"), **other}

    def page(self, query):
        seqs = [each for each in sorted(self.words) if each < int(query.get("before_seq", 10**9))]
        items = [message(each, self.words[each]) for each in seqs[-50:]]
        return {"items": items, "has_before": len(seqs) > 50, "last_seq": self.last_seq}

    def tell(self, kind, **frame):
        self.last_seq += 1
        self.api.tell({"type": kind, "seq": self.last_seq, **frame})

    def say(self, text):
        seq = self.last_seq + 1
        self.words[seq] = text
        self.unread += 1
        self.tell("message.new", message=message(seq, text))
        return seq


def row(page, dialog_id="d1"):
    return page.locator(f"#dialogs [data-dialog={dialog_id}]")


EVENTS = {
    "edited": ("message.edited", {"message": message(5, "edited elsewhere")}),
    "deleted": ("message.deleted", {}),
    "reaction": ("reaction.changed", {"user_id": "Chai", "emoji": "👍", "count": 1, "added": True}),
    "pin": ("pin.changed", {"pinned": True}),
    "poll": ("poll.changed", {"poll": {"votes": [1, 0]}}),
    "card": ("card.changed", {"card": {"entity_type": "order"}}),
    "withheld": ("event.withheld", None),
}


@pytest.mark.parametrize("event", EVENTS)
async def test_an_event_about_what_is_not_loaded_changes_no_page(signed_in, chat_api, event):
    api = chat_api()
    server = Dialogs(api, 150)
    kind, frame = EVENTS[event]
    async with signed_in(api) as page:
        await row(page).click()
        await expect(page.locator("#messages li")).to_have_count(50)
        server.tell(kind, **({} if frame is None else {"message_seq": 5, **frame}))
        server.say("said after it")  # its place has been taken in: this is not a hole
        await expect(page.locator("#messages li").last).to_contain_text("said after it")
        await expect(page.locator("#messages li").first).to_contain_text("words 101.")
        for count in (101, 151):
            await page.evaluate("document.getElementById('messages').scrollTop = 0")
            await expect(page.locator("#messages li")).to_have_count(count)
        await expect(page.locator("#messages li").first).to_contain_text("words 1.")


async def test_a_page_whose_messages_were_all_deleted_for_oneself_goes_on_before_them(signed_in, chat_api):
    api = chat_api()
    server = Dialogs(api, 60)
    async with signed_in(api) as page:
        await row(page).click()
        await expect(page.locator("#messages li")).to_have_count(50)
        for number, seq in enumerate(range(11, 61), 1):
            del server.words[seq]
            api.tell({"type": "message.hidden", "account_seq": number, "message_seq": seq})
        await expect(page.locator("#messages li", has_text=re.compile(r"^.*words (1[1-9]|[2-6]\d)\."))).to_have_count(0)
        # A list that shrinks under the reader has scrolled by itself, as a rule.
        await page.evaluate("document.getElementById('messages').dispatchEvent(new Event('scroll'))")
        await expect(page.locator("#messages li")).to_have_count(10)


async def test_the_row_and_the_badge_of_a_dialog_that_is_not_open_follow_deletions_and_edits(signed_in, chat_api):
    api = chat_api()
    server = Dialogs(api, 1)
    async with signed_in(api) as page:
        seqs = [server.say(f"secret {number}") for number in (1, 2, 3)]
        await expect(row(page).locator(".unread")).to_have_text("3")
        server.words[seqs[2]] = "said better"
        server.tell("message.edited", message_seq=seqs[2], message=message(seqs[2], "said better"))
        await expect(row(page).locator(".last")).to_have_text("said better")
        looks = len(api.of("Anong", LOOK))
        server.unread = 1
        for seq in seqs[1:]:
            server.tell("message.deleted", message_seq=seq)
        await expect(row(page).locator(".last")).to_have_text("Message deleted")
        await expect(row(page).locator(".unread")).to_have_text("1")
        await expect(page).to_have_title(re.compile(r"^\(1\)"))
        assert len(api.of("Anong", LOOK)) - looks == 1


async def test_what_was_deleted_for_oneself_elsewhere_leaves_the_row_and_the_badge(signed_in, chat_api):
    api = chat_api()
    server = Dialogs(api, 2, unread=1)
    async with signed_in(api) as page:
        await expect(row(page).locator(".unread")).to_have_text("1")
        del server.words[2]
        server.unread = 0
        api.tell({"type": "message.hidden", "account_seq": 1, "message_seq": 2})
        await expect(row(page).locator(".last")).to_have_text("words 1.")
        await expect(row(page).locator(".unread")).to_have_count(0)


async def test_a_look_from_before_what_was_told_since_is_taken_again(signed_in, chat_api):
    """The answer hangs while somebody writes: it knows nothing of that."""
    api = chat_api()
    server = Dialogs(api, 2, unread=1)
    hold = api.hold(LOOK, answer=True)
    async with signed_in(api) as page:
        server.unread = 0
        server.tell("message.deleted", message_seq=2)
        await asyncio.wait_for(hold.came.wait(), 10)
        server.say("said meanwhile")
        await expect(row(page).locator(".last")).to_have_text("said meanwhile")
        hold.released.set()
        await eventually(lambda: len(api.of("Anong", LOOK)) == 2, what="it is asked again")
        await expect(row(page).locator(".unread")).to_have_text("1")
        await expect(row(page).locator(".last")).to_have_text("said meanwhile")


async def test_half_written_words_wait_in_their_dialog_until_the_session_ends(signed_in, sign_in, chat_api):
    api = chat_api()
    Dialogs(api, 3)
    async with signed_in(api) as page:
        words = page.locator("#words")
        await row(page).click()
        await page.locator("#messages li").nth(2).wait_for()
        await words.fill("a long letter")
        await page.locator("[data-seq='2'] [title=Reply]").dispatch_event("click")
        await row(page, "d2").click()
        await expect(words).to_have_value("")
        await expect(page.locator("#answering")).to_be_hidden()
        await words.fill("for the pier")
        await row(page).click()
        await expect(words).to_have_value("a long letter")
        await expect(page.locator("#answering")).to_contain_text("words 2.")
        await words.press("Escape")  # the reply is given up, not the words
        await expect(page.locator("#answering")).to_be_hidden()
        await expect(words).to_have_value("a long letter")
        await row(page, "d2").click()
        await expect(words).to_have_value("for the pier")
        await page.click("#out")
        await page.locator("#door").wait_for()
        await sign_in(page, "Anong")
        for dialog_id in ("d1", "d2"):
            await row(page, dialog_id).click()
            await expect(page.locator("#talk.on")).to_be_visible()
            await expect(words).to_have_value("")
