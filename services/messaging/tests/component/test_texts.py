"""Every text people write in chat takes what their scripts and keyboards need; one emoji is one reaction."""

import runpy
import uuid
from pathlib import Path
from urllib.parse import quote

import pytest
from alembic import op

MIGRATIONS = Path(__file__).parents[2] / "migrations" / "versions"
THAI = "สวัสดี\u200bครับ"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
KEPT = [THAI, "می\u200cخواهم", "क\u094d\u200dष", "\u200fمرحبا", SCOTLAND]
PASTED = {"\ufeffhello": "hello", "co\u00adoperate": "cooperate", "one\u2060two": "onetwo", "a\u200bb": "ab"}
SPELLINGS = [
    ("\u2764\ufe0f\u200d\U0001f525", "\u2764\u200d\U0001f525"),
    ("\U0001f3f3\ufe0f\u200d\U0001f308", "\U0001f3f3\u200d\U0001f308"),
    ("\U0001f441\ufe0f\u200d\U0001f5e8\ufe0f", "\U0001f441\u200d\U0001f5e8"),
    ("\U0001f44d", "\U0001f44d\ufe0f"),
    ("\u2764\ufe0f", "love"),
]


@pytest.fixture
async def pair(world):
    one, other = await world.person(), await world.person()
    return one, other, await world.group(one, other, title="A group")


@pytest.mark.parametrize(("written", "kept"), [*((each, each) for each in KEPT), *PASTED.items()])
async def test_every_text_of_chat_takes_them(pair, written, kept):
    one, other, dialog_id = pair
    path = f"/v1/dialogs/{dialog_id}"

    async def say(content):
        body = {"client_message_id": str(uuid.uuid4()), "content": content}
        seq = (await one.ok("POST", f"{path}/messages", body))["seq"]
        return (await other.ok("GET", f"{path}/messages/{seq}"))["content"]

    assert (await say({"type": "text", "text": written}))["text"] == kept
    assert (await say({"type": "contact", "name": written, "user_id": str(one.user_id)}))["name"] == kept
    assert (await say({"type": "location", "latitude": 1, "longitude": 1, "name": written}))["name"] == kept
    poll = await say({"type": "poll", "question": written, "options": [written, f"{written}!"]})
    assert (poll["question"], poll["options"]) == (kept, [kept, f"{kept}!"])
    sent = await one.send(dialog_id, "first")
    edited = await one.ok("PATCH", f"{path}/messages/{sent['seq']}", {"content": {"type": "text", "text": written}})
    assert edited["content"]["text"] == kept
    changes = {"title": written, "description": written}
    await one.ok("PATCH", path, changes, headers={"If-Match": "*"})
    shown = await other.dialog(dialog_id)
    assert (shown["title"], shown["description"]) == (kept, kept)
    await one.ok("PUT", f"{path}/draft", {"text": written})
    assert [each["text"] for each in (await one.ok("GET", "/v1/dialogs/drafts"))["items"]] == [kept]
    bot = {"username": f"b{uuid.uuid4().hex[:12]}bot", "display_name": written, "commands": []}
    assert (await one.ok("POST", "/v1/bots", bot))["display_name"] == kept


async def test_line_separators_end_a_line_of_a_message_and_are_a_space_in_a_title(pair):
    one, other, dialog_id = pair
    await one.send(dialog_id, "one\u2028two\u2029three")
    assert (await other.messages(dialog_id))[-1]["content"]["text"] == "one\ntwo\nthree"
    await one.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"title": "one\u2028two"}, headers={"If-Match": "*"})
    assert (await other.dialog(dialog_id))["title"] == "one two"


async def test_a_pasted_retry_is_the_same_message(pair):
    one, _, dialog_id = pair
    body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "\ufeffhello"}}
    first = await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body)
    again = await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body)
    assert (again["seq"], again["replayed"]) == (first["seq"], True)


@pytest.mark.parametrize(("spelling", "other_spelling"), [*SPELLINGS, (SCOTLAND, SCOTLAND)])
async def test_one_emoji_is_one_reaction_however_it_is_spelled(pair, spelling, other_spelling):
    one, other, dialog_id = pair
    path = f"/v1/dialogs/{dialog_id}/messages/{(await one.send(dialog_id))['seq']}"
    for person, emoji in ((one, spelling), (other, other_spelling)):
        await person.ok("PUT", f"{path}/reactions/{quote(emoji)}")
    [reaction] = (await one.ok("GET", path))["reactions"]
    assert (reaction["emoji"], reaction["count"]) == (spelling, 2)
    await one.ok("DELETE", f"{path}/reactions/{quote(other_spelling)}")
    await other.ok("DELETE", f"{path}/reactions/{quote(spelling)}")
    assert (await one.ok("GET", path))["reactions"] == []


async def test_reactions_kept_in_other_spellings_became_one(world, pair, monkeypatch):
    one, other, dialog_id = pair
    seq = (await one.send(dialog_id))["seq"]
    path = f"/v1/dialogs/{dialog_id}/messages/{seq}"
    full, bare = SPELLINGS[0]
    await one.ok("PUT", f"{path}/reactions/{quote(full)}")
    kept = [(one, bare), (other, bare), (other, "\U0001f44d")]
    migration = runpy.run_path(str(MIGRATIONS / "0013_reactions_in_one_spelling.py"))
    statements = []
    monkeypatch.setattr(op, "execute", statements.append)
    migration["upgrade"]()
    async with world.app.begin() as tx:
        for person, emoji in kept:
            await tx.conn.execute(
                "INSERT INTO reaction VALUES ($1, $2, $3, $4, now())", uuid.UUID(dialog_id), seq, emoji, person.user_id
            )
        for statement in statements:
            await tx.conn.execute(statement)
    shown = {each["emoji"]: each["count"] for each in (await one.ok("GET", path))["reactions"]}
    assert shown == {full: 2, "\U0001f44d": 1}
