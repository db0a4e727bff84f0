"""Search through the API: what is found, by whom, and how soon."""

import uuid

from testkit.wait import eventually


async def found(person, q, **query):
    query = {"q": q, **query}
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return await person.ok("GET", f"/v1/messages/search?{asked}")


async def texts(person, q, **query):
    return [hit["message"]["content"]["text"] for hit in (await found(person, q, **query))["items"]]


async def indexed(world, dialog_id, seq):
    async def look():
        async with world.app.database.read() as conn:
            return await conn.fetchval(
                "SELECT EXISTS (SELECT FROM search_entry WHERE dialog_id = $1 AND seq = $2)", uuid.UUID(dialog_id), seq
            )

    await eventually(look, timeout_s=20)


async def test_a_message_is_found_by_its_words_with_the_place_of_each(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    await nok.send(dialog_id, "Please send the invoice today")
    sent = await budi.send(dialog_id, "ok")
    await indexed(world, dialog_id, sent["seq"])
    [hit] = (await found(budi, "INVOICE please"))["items"]
    assert hit["message"]["content"]["text"] == "Please send the invoice today"
    assert [(each["start"], each["end"]) for each in hit["highlights"]] == [(0, 6), (16, 23)]
    assert hit["match"] == "exact"
    page = await budi.ok("GET", hit["messages_url"])
    assert hit["message"]["seq"] in [each["seq"] for each in page["items"]]
