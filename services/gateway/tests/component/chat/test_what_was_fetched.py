"""What the web client drew from what it fetched once follows what changes: the page, its quotes, words, votes, notes."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import expect

from testkit.wait import eventually

pytestmark = [pytest.mark.component, pytest.mark.timeout(120)]
AT = "2026-01-01T00:00:00Z"
NOT_READY = (503, "service.unavailable")
MESSAGES = "GET /v1/dialogs/d2/messages"
ME = {"read_seq": 9, "unread": 0, "pinned_at": None, "role": "member", "status": "active", "muted_until": None}
SECRET = "SECRETWORDS"
# The races below, with what holds each of them taken out of the client.
UNPROTECTED = {
    "removal": {"store.js": (("if (drops !== this.#drops)", "if (false)"),)},
    "quote": {"store.js": (("this.#sights.again(`${dialog_id}/${seq}`);", ""),)},
    "earlier page": {"store.js": (("for (const frame of told.frames)", "for (const frame of [])"),)},
    "votes": {
        "votes.js": (
            ("if (this.#sends.runs(key)) return this.#sends.again(key);", ""),
            ("this.#sends.run(key, () => this.#send(dialogId, seq))", "this.#send(dialogId, seq)"),
        )
    },
}


def message(seq, text, sender="Chai", **more):
    return {
        "seq": seq,
        "client_message_id": f"m{seq}",
        "sender_id": sender,
        "sent_at": AT,
        "version": 1,
        "content": {"type": "text", "text": text},
        "reactions": [],
        "attachments": [],
        **more,
    }


def poll(seq, votes, mine, *, multiple=False):
    content = {"type": "poll", "question": "When?", "options": ["now", "later"], "multiple": multiple}
    return message(seq, "") | {"content": content, "poll": {"votes": votes, "mine": mine}}


class Server:
    """Two dialogs, Harbour (d1) and Pier (d2), whose messages it has as they are now; the page shows the last 50."""

    def __init__(self, api, *messages, pier=()):
        self.api = api
        self.messages = {"d1": {each["seq"]: each for each in messages}, "d2": {each["seq"]: each for each in pier}}
        self.last = {id_: max(held, default=0) for id_, held in self.messages.items()}
        self.me = dict(ME)
        self.count, self.account, self.gone = 2, 0, False
        api.answers["POST /v1/sync"] = lambda _: {
            "account_seq": 0,
            "dialogs": [{"dialog_id": each, "dialog": self.row(each), "events": []} for each in ("d1", "d2")],
        }
        for id_ in ("d1", "d2"):
            api.answers[f"GET /v1/dialogs/{id_}"] = lambda _, id_=id_: self.row(id_)
            api.answers[f"GET /v1/dialogs/{id_}/messages"] = lambda query, id_=id_: self.page(id_, query)
            api.answers[f"GET /v1/dialogs/{id_}/members"] = lambda _: {"items": []}
            for seq in range(1, 100):
                self.serve(id_, seq)

    def serve(self, id_, seq):
        what = f"GET /v1/dialogs/{id_}/messages/{seq}"
        if seq in self.messages[id_]:
            self.api.answers[what] = lambda _: self.messages[id_][seq]
        else:
            self.api.failing[what] = (404, "messaging.message.not_found")

    def row(self, id_):
        shown = self.messages[id_]
        title = {"d1": "Harbour", "d2": "Pier"}[id_]
        counts = {
            "last_seq": self.last[id_],
            "member_count": self.count,
            "last_message": shown.get(max(shown, default=0)),
        }
        return {**self.api.dialog("Anong"), **counts, "dialog_id": id_, "title": title, "me": dict(self.me)}

    def page(self, id_, query):
        seqs = [each for each in sorted(self.messages[id_]) if each < int(query.get("before_seq", 10**9))]
        items = [self.messages[id_][each] for each in seqs[-50:]]
        return {"items": items, "has_before": len(seqs) > 50, "last_seq": self.last[id_]}

    def tell(self, kind, id_="d1", **frame):
        self.last[id_] += 1
        self.api.tell({"type": kind, "dialog_id": id_, "seq": self.last[id_], **frame})
        return self.last[id_]

    def say(self, text, id_="d1", **more):
        seq = self.last[id_] + 1
        self.messages[id_][seq] = message(seq, text, **more)
        return self.tell("message.new", id_, message=self.messages[id_][seq])

    def edit(self, seq, text):
        version = self.messages["d1"][seq]["version"] + 1
        self.messages["d1"][seq] = {
            **self.messages["d1"][seq],
            "content": {"type": "text", "text": text},
            "version": version,
        }
        self.tell("message.edited", message_seq=seq, message=self.messages["d1"][seq])

    def delete(self, seq):
        self.messages["d1"][seq] = {**self.messages["d1"][seq], "content": None, "deleted_at": AT}
        self.tell("message.deleted", message_seq=seq)

    def hide(self, seq):
        del self.messages["d1"][seq]
        self.serve("d1", seq)
        self.tell_account("message.hidden", message_seq=seq)

    def tell_account(self, kind, **frame):
        self.account += 1
        self.api.tell({"type": kind, "account_seq": self.account, **frame})


def row(page, id_="d1"):
    return page.locator(f"#dialogs [data-dialog={id_}]")


def shown(page, seq):
    return page.locator(f"#messages [data-seq='{seq}']")


def press(page, seq, title):
    return shown(page, seq).get_by_title(title).dispatch_event("click")


async def opened(page, id_="d1"):
    await row(page, id_).click()
    await page.locator("#messages li").first.wait_for()


async def write(page, words):
    await page.fill("#words", words)
    await page.press("#words", "Enter")


async def test_the_page_is_that_of_the_dialog_it_names_also_when_its_messages_cannot_be_had(signed_in, chat_api):
    api = chat_api(failing={MESSAGES: NOT_READY})
    server = Server(api, message(1, "of the harbour"), pier=[message(1, "of the pier")])
    async with signed_in(api) as page:
        await opened(page)
        await row(page, "d2").click()
        await expect(page.locator("#talk-title")).to_have_text("Pier")
        await expect(page.locator("#messages li")).to_have_count(0)
        await expect(page.locator("#missing")).to_contain_text("Refused with 503")
        await write(page, "for the pier")
        await eventually(lambda: api.of("Anong", "POST /v1/dialogs/d2/messages$"), what="it is sent")
        assert api.of("Anong", "POST /v1/dialogs/d1/messages$") == []
        await expect(page.locator("#messages")).to_contain_text("for the pier")
        server.say("said later", "d2")
        await expect(row(page, "d2")).to_contain_text("said later")
        await expect(page.locator("#messages")).not_to_contain_text("of the harbour")
        del api.failing[MESSAGES]  # it asks again by itself
        await expect(page.locator("#messages")).to_contain_text("of the pier")
        await expect(page.locator("#messages")).to_contain_text("said later")
        await expect(page.locator("#missing")).to_be_hidden()


async def test_messages_that_were_refused_for_good_can_be_asked_for_again(signed_in, chat_api):
    api = chat_api(failing={MESSAGES: (400, "request.invalid")})
    Server(api, message(1, "of the harbour"), pier=[message(1, "of the pier")])
    async with signed_in(api) as page:
        await opened(page)
        await row(page, "d2").click()
        await expect(page.locator("#missing")).to_contain_text("Refused with 400")
        await row(page).click()  # what is told of one dialog is not shown in another
        await expect(page.locator("#missing")).to_be_hidden()
        await expect(page.locator("#messages")).to_contain_text("of the harbour")
        await row(page, "d2").click()
        await expect(page.locator("#missing")).to_be_visible()
        del api.failing[MESSAGES]
        await page.click("#again")
        await expect(page.locator("#messages")).to_contain_text("of the pier")


async def test_a_page_that_comes_late_is_not_shown_in_another_dialog(signed_in, chat_api):
    api = chat_api()
    Server(api, message(1, "of the harbour"), pier=[message(1, "of the pier")])
    hold = api.hold(f"{MESSAGES}$", answer=True)
    async with signed_in(api) as page:
        await row(page, "d2").click()
        await asyncio.wait_for(hold.came.wait(), 10)
        await opened(page)
        hold.released.set()
        await asyncio.sleep(0.4)
        await expect(page.locator("#messages")).to_have_text(re.compile("of the harbour"))
        await expect(page.locator("#messages")).not_to_contain_text("of the pier")


async def test_a_page_that_cannot_be_fetched_anew_misses_nothing_once_it_can(signed_in, chat_api):
    api = chat_api()
    server = Server(api, message(1, "first words"))
    async with signed_in(api) as page:
        await opened(page)
        api.failing["GET /v1/dialogs/d1/messages"] = NOT_READY
        server.messages["d1"][2] = message(2, "was missed")
        server.last["d1"] = 2
        api.tell({"type": "too_old", "oldest_seq": 2, "last_seq": 2})
        await eventually(lambda: len(api.of("Anong", "GET /v1/dialogs/d1/messages$")) > 3, what="it is asked again")
        del api.failing["GET /v1/dialogs/d1/messages"]
        await expect(page.locator("#messages")).to_contain_text("was missed")


async def test_a_dialog_that_one_is_removed_from_leaves_the_page(signed_in, chat_api):
    api = chat_api()
    server = Server(api, message(1, SECRET), message(2, "the answer", reply_to_seq=1))
    async with signed_in(api) as page:
        await opened(page)
        await press(page, 1, "Reply")
        await expect(page.locator("#answering")).to_contain_text(SECRET)
        server.tell_account("dialog.removed")
        await expect(row(page)).to_have_count(0)
        await expect(page.locator("#talk")).not_to_have_class("on")
        assert SECRET not in await page.content()
        assert "Harbour" not in await page.content()


async def removed_while_looked_at(signed_in, api):
    """Whether it is back when the look from before is answered."""
    server = Server(api, message(1, SECRET))
    async with signed_in(api) as page:
        await opened(page)
        hold = api.hold("GET /v1/dialogs/d1$", answer=True)
        api.tell({"type": "too_old", "oldest_seq": 1, "last_seq": 1})
        await asyncio.wait_for(hold.came.wait(), 10)
        server.tell_account("dialog.removed")
        api.failing["GET /v1/dialogs/d1"] = (404, "messaging.dialog.not_found")
        await expect(row(page)).to_have_count(0)
        hold.released.set()
        await asyncio.sleep(0.4)
        return "Harbour" in await page.content()


async def test_a_dialog_is_not_brought_back_by_a_look_from_before_they_were_removed(signed_in, chat_api):
    assert not await removed_while_looked_at(signed_in, chat_api())


async def test_without_the_count_of_removals_it_is_brought_back(signed_in, chat_api):
    assert await removed_while_looked_at(signed_in, chat_api(changes=UNPROTECTED["removal"]))


@pytest.mark.parametrize("loaded", [True, False], ids=["loaded", "not loaded"])
async def test_a_quote_says_what_the_message_says_now(signed_in, chat_api, loaded):
    api = chat_api()
    filler = [] if loaded else [message(seq, f"words {seq}") for seq in range(4, 60)]
    quoted = (message(1, f"{SECRET} one"), message(2, f"{SECRET} two"), message(3, f"{SECRET} three"))
    server = Server(api, *quoted, *filler)
    async with signed_in(api) as page:
        await opened(page)
        answers = [server.say(f"answer to {seq}", reply_to_seq=seq) for seq in (1, 2, 3)]
        quotes = [shown(page, seq).locator(".quote") for seq in answers]
        for quote, words in zip(quotes, ("one", "two", "three"), strict=True):
            await expect(quote).to_have_text(f"{SECRET} {words}")
        server.delete(1)
        server.edit(2, "said better")
        server.hide(3)
        for quote, words in zip(quotes, ("Message deleted", "said better", "An earlier message"), strict=True):
            await expect(quote).to_have_text(words)
        assert SECRET not in await page.content()


async def deleted_while_asked_for(signed_in, api):
    """What the quote says then."""
    server = Server(api, message(1, SECRET), *(message(seq, f"words {seq}") for seq in range(2, 60)))
    hold = api.hold("GET /v1/dialogs/d1/messages/1$", answer=True)
    async with signed_in(api) as page:
        await opened(page)
        quote = shown(page, server.say("the answer", reply_to_seq=1)).locator(".quote")
        await asyncio.wait_for(hold.came.wait(), 10)  # it answers with the words
        server.delete(1)
        await shown(page, server.say("said after it")).wait_for()
        hold.released.set()
        await expect(quote).not_to_have_text("…")
        await asyncio.sleep(0.6)
        return await quote.inner_text()


async def test_a_quote_that_is_asked_for_while_its_message_is_deleted_does_not_show_it(signed_in, chat_api):
    assert await deleted_while_asked_for(signed_in, chat_api()) == "Message deleted"


async def test_without_another_look_the_quote_shows_what_was_deleted(signed_in, chat_api):
    assert await deleted_while_asked_for(signed_in, chat_api(changes=UNPROTECTED["quote"])) == SECRET


@pytest.mark.parametrize("loaded", [True, False], ids=["loaded", "not loaded"])
async def test_the_bar_above_the_words_says_what_the_message_says_now(signed_in, chat_api, loaded):
    api = chat_api()
    server = Server(api, message(1, SECRET), message(2, "mine", "Anong"))
    async with signed_in(api) as page:
        await opened(page)
        bar = page.locator("#answering span")
        await press(page, 1, "Reply")
        await expect(bar).to_have_text(f"Reply to: {SECRET}")
        if not loaded:  # the page is another since
            server.messages["d1"] |= {seq: message(seq, f"words {seq}") for seq in range(3, 60)}
            server.last["d1"] = 59
            api.tell({"type": "too_old", "oldest_seq": 59, "last_seq": 59})
            await shown(page, 59).wait_for()
            await expect(shown(page, 1)).to_have_count(0)
        server.edit(1, "said better")
        await expect(bar).to_have_text("Reply to: said better")
        await row(page, "d2").click()
        server.delete(1)
        await row(page).click()
        await expect(bar).to_have_text("Reply to: Message deleted")
        await write(page, "and answered")
        await eventually(lambda: api.of("Anong", "POST /v1/dialogs/d1/messages$"), what="it is sent")


async def test_an_edit_of_a_message_that_is_gone_since_changes_nothing_and_stops_nothing(signed_in, chat_api):
    api = chat_api()
    server = Server(api, message(1, "first words"))
    async with signed_in(api) as page:
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await opened(page)
        server.tell("message.edited", message_seq=1, version=2)
        server.delete(1)
        await expect(shown(page, 1)).to_contain_text("This message was deleted")
        assert errors == []


async def earlier_page(signed_in, api):
    """The first three of its messages, of which one was deleted, one edited and one hidden on their way."""
    server = Server(api, *(message(seq, f"{SECRET} {seq}." if seq < 4 else f"words {seq}.") for seq in range(1, 60)))
    async with signed_in(api) as page:
        await opened(page)
        hold = api.hold("GET /v1/dialogs/d1/messages$", answer=True)
        await page.evaluate("document.getElementById('messages').scrollTop = 0")
        await asyncio.wait_for(hold.came.wait(), 10)
        server.delete(1)
        server.edit(2, "said better")
        server.hide(3)
        await expect(shown(page, server.say("said after it"))).to_have_count(1)
        hold.released.set()
        await shown(page, 4).wait_for()
        return [await page.locator("#messages li .bubble").nth(place).inner_text() for place in range(3)]


async def test_messages_from_before_the_page_come_as_what_was_told_on_their_way_left_them(signed_in, chat_api):
    first, second, fourth = await earlier_page(signed_in, chat_api())
    assert "This message was deleted" in first
    assert "said better" in second
    assert "words 4." in fourth


async def test_without_what_was_told_on_their_way_they_come_as_they_were(signed_in, chat_api):
    for words in await earlier_page(signed_in, chat_api(changes=UNPROTECTED["earlier page"])):
        assert SECRET in words


async def test_an_image_that_is_looked_at_goes_with_its_message(signed_in, chat_api):
    api = chat_api()
    picture = {
        "attachment_id": "a1",
        "status": "clean",
        "purpose": "image",
        "file_name": "boat",
        "width": 9,
        "height": 9,
    }
    api.answers["POST /v1/attachments/a1/link"] = lambda _: {"url": "data:,", "thumbnails": []}
    server = Server(api, message(1, "", attachments=[picture]) | {"content": {"type": "image"}})
    async with signed_in(api) as page:
        await opened(page)
        await page.get_by_label("Open boat").click()
        await page.locator("dialog.viewer").wait_for()
        server.delete(1)
        await expect(page.locator("dialog.viewer")).to_have_count(0)


async def edited(page, seq, words):
    await page.fill("#words", "a draft")
    await press(page, seq, "Edit")
    await write(page, words)


async def test_an_edit_that_was_overtaken_comes_back_to_the_words_and_goes_onto_what_stands_there(signed_in, chat_api):
    api = chat_api()
    path = "PATCH /v1/dialogs/d1/messages/1"
    api.failing[path] = (412, "messaging.message.changed_meanwhile")
    server = Server(api, message(1, "first words", "Anong"))
    async with signed_in(api) as page:
        await opened(page)
        server.edit(1, "from another device")
        await expect(shown(page, 1)).to_contain_text("from another device")
        await edited(page, 1, "a long text")
        await expect(page.locator("#words")).to_have_value("a long text")
        await expect(page.locator("#typing")).to_have_text("Refused with 412")
        await expect(page.locator("#answering")).to_contain_text("Edit: from another device")
        await expect(shown(page, 1)).to_contain_text("from another device")
        server.messages["d1"][1]["version"] = 7  # not told yet
        await page.press("#words", "Enter")
        await eventually(lambda: len(api.of("Anong", path)) == 2, what="it is refused again")
        await expect(page.locator("#words")).to_have_value("a long text")
        del api.failing[path]
        sent = []
        page.on("request", lambda request: sent.append(request.post_data_json) if request.method == "PATCH" else None)
        api.answers[path] = lambda _: message(1, "a long text", "Anong", version=8)
        await page.press("#words", "Enter")
        await expect(shown(page, 1)).to_contain_text("a long text")  # before any event tells it
        await expect(page.locator("#words")).to_have_value("a draft")
        assert [each["version"] for each in sent] == [7]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["open", "another open"])
async def test_an_edit_that_cannot_be_sent_comes_back_to_its_dialog(signed_in, chat_api, elsewhere):
    api = chat_api()
    Server(api, message(1, "first words", "Anong"), pier=[message(1, "of the pier")])
    hold = api.hold("PATCH /v1/dialogs/d1/messages/1$", answer=True)
    api.failing["PATCH /v1/dialogs/d1/messages/1"] = (409, "messaging.message.edit_window_over")
    async with signed_in(api) as page:
        await opened(page)
        await edited(page, 1, "a long text")
        await asyncio.wait_for(hold.came.wait(), 10)
        await expect(shown(page, 1)).to_contain_text("a long text")  # it is seen while it is on its way
        await expect(page.locator("#words")).to_have_value("a draft")
        if elsewhere:
            await opened(page, "d2")
        hold.released.set()
        if elsewhere:
            await asyncio.sleep(0.4)
            await expect(page.locator("#words")).to_have_value("")
            await expect(page.locator("#typing")).to_have_text("")
            await opened(page)
        await expect(page.locator("#words")).to_have_value("a long text")
        await expect(page.locator("#typing")).to_have_text("Refused with 409")
        await expect(shown(page, 1)).to_contain_text("first words")
        await page.press("#words", "Escape")
        await expect(page.locator("#words")).to_have_value("a draft")


async def test_an_edit_without_a_network_is_not_lost(signed_in, chat_api):
    api = chat_api()
    Server(api, message(1, "first words", "Anong"))
    async with signed_in(api) as page:
        await opened(page)
        await page.route("**/v1/dialogs/d1/messages/1", lambda route: route.abort("internetdisconnected"))
        await edited(page, 1, "a long text")
        await expect(page.locator("#typing.problem")).not_to_be_empty()
        await expect(page.locator("#words")).to_have_value("a long text")


async def test_two_edits_that_are_refused_both_come_back(signed_in, chat_api):
    api = chat_api()
    Server(api, message(1, "first words", "Anong"), message(2, "second words", "Anong"))
    holds = [api.hold(f"PATCH /v1/dialogs/d1/messages/{seq}$", answer=True) for seq in (1, 2)]
    for seq in (1, 2):
        api.failing[f"PATCH /v1/dialogs/d1/messages/{seq}"] = (409, "messaging.message.edit_window_over")
    async with signed_in(api) as page:
        await opened(page)
        await edited(page, 1, "a long text")
        await press(page, 2, "Edit")
        await write(page, "another long text")
        for hold in holds:
            await asyncio.wait_for(hold.came.wait(), 10)
            hold.released.set()
            await expect(page.locator("#typing")).to_have_text("Refused with 409")
            await asyncio.sleep(0.2)
        for words in ("another long text", "a long text", "a draft"):
            await expect(page.locator("#words")).to_have_value(words)
            await page.press("#words", "Escape")


@pytest.mark.parametrize("by", ["Anong", None], ids=["named", "anonymous"])
async def test_ones_own_vote_from_another_device_is_shown_and_goes_into_the_next(signed_in, chat_api, by):
    api = chat_api()
    server = Server(api, poll(1, [0, 0], [], multiple=True))
    sent = []
    async with signed_in(api) as page:
        await opened(page)
        page.on("request", lambda request: sent.append(request.post_data_json) if request.method == "PUT" else None)
        server.messages["d1"][1] = poll(1, [0, 1], [1], multiple=True)
        server.tell("poll.changed", message_seq=1, by=by, poll={"votes": [0, 1]})
        await expect(page.locator(".options .mine")).to_have_text(re.compile("later"))
        await page.locator(".options button").first.click()
        await eventually(lambda: sent, what="the vote is sent")
        assert sent == [{"options": [1, 0]}]


async def test_what_others_vote_asks_for_nothing(signed_in, chat_api):
    api = chat_api()
    server = Server(api, poll(1, [1, 0], [0]))
    async with signed_in(api) as page:
        await opened(page)
        server.tell("poll.changed", message_seq=1, by="Chai", poll={"votes": [1, 1]})
        await expect(page.locator(".options button").last).to_contain_text("1")
        await expect(page.locator(".options .mine")).to_have_text(re.compile("now"))
        await asyncio.sleep(0.4)
        assert api.of("Anong", "messages/1$") == []


async def two_quick_votes(signed_in, api):
    """What was sent before the first was answered, and all that was sent."""
    server = Server(api, poll(1, [0, 0], [], multiple=True))
    hold = api.hold("PUT .*/vote$", answer=True)
    sent = []
    async with signed_in(api) as page:
        await opened(page)
        page.on("request", lambda request: sent.append(request.post_data_json) if request.method == "PUT" else None)
        await page.locator(".options button").first.click()
        await asyncio.wait_for(hold.came.wait(), 10)
        await page.locator(".options button").last.click()
        await expect(page.locator(".options .mine")).to_have_count(2)
        await asyncio.sleep(0.2)
        before = list(sent)
        server.messages["d1"][1] = poll(1, [1, 1], [0, 1], multiple=True)
        hold.released.set()
        await eventually(lambda: len(sent) == 2, what="the second choice is sent")
        await expect(page.locator(".options .mine")).to_have_count(2)
        return before, sent


async def test_two_quick_votes_are_sent_one_after_the_other_as_chosen_last(signed_in, chat_api):
    before, sent = await two_quick_votes(signed_in, chat_api())
    assert before == [{"options": [0]}]
    assert sent == [{"options": [0]}, {"options": [0, 1]}]


async def test_without_one_after_the_other_both_are_on_their_way_at_once(signed_in, chat_api):
    before, _ = await two_quick_votes(signed_in, chat_api(changes=UNPROTECTED["votes"]))
    assert len(before) == 2


async def test_a_vote_that_is_refused_is_not_shown_as_ones_own(signed_in, chat_api):
    api = chat_api(failing={"PUT /v1/dialogs/d1/messages/1/vote": (409, "messaging.poll.closed")})
    Server(api, poll(1, [0, 1], [1]))
    async with signed_in(api) as page:
        await opened(page)
        await page.locator(".options button").first.click()
        await expect(page.locator("#typing")).to_have_text("Refused with 409")
        await expect(page.locator(".options .mine")).to_have_text(re.compile("later"))


async def test_how_many_are_in_follows_who_comes_and_goes(signed_in, chat_api):
    api = chat_api()
    server = Server(api, message(1, "first words"))
    async with signed_in(api) as page:
        await opened(page)
        await expect(page.locator("#talk-note")).to_have_text("2 members")
        server.count = 3
        looks = len(api.of("Anong", "GET /v1/dialogs/d1$"))
        server.tell("member.changed", member={"user_id": "Dao", "role": "member", "status": "active"})
        await expect(page.locator("#talk-note")).to_have_text("3 members")
        server.count = 2
        server.tell("member.changed", member={"user_id": "Dao", "role": "member", "status": "left"})
        await expect(page.locator("#talk-note")).to_have_text("2 members")
        assert len(api.of("Anong", "GET /v1/dialogs/d1$")) - looks == 2


OWN_PLACE = """
async (member) => {
  const { Store } = await import("/chat/store.js");
  const dialog = { dialog_id: "d1", last_seq: 1, last_at: "", member_count: 2, me: { role: "member", status: "active" } };
  const answers = { "/v1/sync": { account_seq: 0, dialogs: [{ dialog_id: "d1", dialog }] } };
  const never = new Promise(() => {});
  const call = (method, path) => answers[path] ?? never;
  const store = new Store({ user_id: "Anong", call, until: (act) => act(), pause: () => never, check() {} });
  await store.load();
  store.apply({ type: "member.changed", dialog_id: "d1", seq: 2, at: "", member });
  return store.dialogs.get("d1").me;
}
"""


async def test_ones_own_place_is_known_as_soon_as_it_is_told(signed_in, chat_api):
    async with signed_in(chat_api()) as page:
        mine = {"role": "admin", "status": "muted", "muted_until": AT}
        assert await page.evaluate(OWN_PLACE, {"user_id": "Anong", **mine}) == mine
        others = await page.evaluate(OWN_PLACE, {"user_id": "Chai", **mine})
        assert (others["role"], others["status"]) == ("member", "active")


async def test_who_is_muted_or_leaves_keeps_their_name(signed_in, chat_api):
    api = chat_api()
    server = Server(api, message(1, "first words"))
    api.answers["GET /v1/dialogs/d1/members"] = lambda _: {"items": [{"user_id": "Chai", "display_name": "Chai S."}]}
    async with signed_in(api) as page:
        await opened(page)
        await expect(shown(page, 1).locator(".who")).to_have_text("Chai S.")
        for status in ("muted", "left"):
            server.tell("member.changed", member={"user_id": "Chai", "role": "member", "status": status})
            await expect(shown(page, server.say(f"after {status}")).locator(".who")).to_have_text("Chai S.")


async def test_what_is_not_kept_any_more_leaves_the_page(signed_in, chat_api):
    api = chat_api()
    server = Server(api, message(1, SECRET), message(2, "kept", reply_to_seq=1))
    async with signed_in(api) as page:
        await opened(page)
        await expect(shown(page, 2).locator(".quote")).to_have_text(SECRET)
        del server.messages["d1"][1]
        server.serve("d1", 1)
        server.tell("dialog.changed", dialog={"oldest_seq": 2})
        await expect(shown(page, 2).locator(".quote")).to_have_text("An earlier message")
        assert SECRET not in await page.content()


async def test_an_event_that_cannot_be_read_has_the_page_fetched_anew(signed_in, chat_api):
    api = chat_api()
    server = Server(api, message(1, SECRET), message(2, "the answer", reply_to_seq=1))
    async with signed_in(api) as page:
        await opened(page)
        server.messages["d1"][1] = {**message(1, ""), "content": None, "deleted_at": AT}
        server.tell("event.unreadable")
        await expect(shown(page, 2).locator(".quote")).to_have_text("Message deleted")
        assert SECRET not in await page.content()


async def test_after_a_damaged_event_of_the_account_dialogs_that_are_gone_leave(signed_in, chat_api):
    api = chat_api()
    server = Server(api, message(1, SECRET))
    async with signed_in(api) as page:
        await opened(page)
        api.answers["POST /v1/sync"] = lambda _: {"account_seq": 1, "dialogs": []}
        for id_ in ("d1", "d2"):
            api.failing[f"GET /v1/dialogs/{id_}"] = (404, "messaging.dialog.not_found")
        server.account += 1
        api.tell({"type": "event.unreadable", "dialog_id": None, "account_seq": server.account})
        await expect(page.locator("#dialogs li")).to_have_count(0)
        assert SECRET not in await page.content()


async def test_without_a_connection_nobody_is_shown_as_here(signed_in, chat_api):
    api = chat_api()
    server = Server(api, message(1, "first words"))
    peer = {"user_id": "Chai", "display_name": "Chai"}
    whole = server.row
    server.row = lambda id_: {**whole(id_), "kind": "direct", "peer": peer}
    async with signed_in(api) as page:
        await opened(page)
        api.tell({"type": "presence", "user_id": "Chai", "online": True})
        await expect(page.locator("#talk-note")).to_have_text("online")
        api.sockets = False
        await api.live[-1].close(code=1012)
        await expect(page.locator("#talk-note")).to_have_text("")
