"""Use cases of bots on ports in memory."""

import pytest

from messaging.bots.domain.bot import (
    BOTS_MAX,
    BotNameTakenError,
    BotNotFoundError,
    TooManyBotsError,
    WebhookUrlInvalidError,
    hash_token,
)
from messaging.bots.usecases.delete_bot import delete_bot
from messaging.bots.usecases.describe_bot import DescribeBot, describe_bot
from messaging.bots.usecases.make_bot import MakeBot, make_bot
from messaging.bots.usecases.remove_webhook import remove_webhook
from messaging.bots.usecases.renew_token import renew_token
from messaging.bots.usecases.set_webhook import SetWebhook, set_webhook
from messaging.core.domain.allowance import Allowance
from messaging_testing.fakes_bots import BOT, OTHER, OWNER, FakeBotsTx, a_bot
from outgoing import LOCAL, PUBLIC


@pytest.fixture
def tx():
    return FakeBotsTx()


@pytest.fixture
def tx_with_bot(tx):
    tx.bots.by_id[BOT] = a_bot()
    return tx


def making(username="echo_bot"):
    return MakeBot(owner_id=OWNER, username=username, display_name="Echo", commands=[])


async def test_a_bot_is_made_with_a_token_that_is_kept_as_its_hash(tx):
    bot, token = await make_bot(making(), tx)
    assert tx.bots.tokens[bot.bot_id] == hash_token(token)
    assert tx.bots.accounts[bot.bot_id] == "Echo"
    assert tx.allowances.held == [(OWNER, Allowance.BOTS)]


async def test_a_person_has_so_many_bots_and_no_more(tx):
    for number in range(BOTS_MAX):
        await make_bot(making(f"n{number}_bot"), tx)
    with pytest.raises(TooManyBotsError):
        await make_bot(making("one_more_bot"), tx)


async def test_a_username_is_taken_once_and_no_account_is_made_for_the_second(tx):
    await make_bot(making(), tx)
    with pytest.raises(BotNameTakenError) as refused:
        await make_bot(making(), tx)
    assert refused.value.pointer == "/username"
    assert len(tx.bots.accounts) == 1


@pytest.mark.parametrize("owner_id", [OTHER, OWNER])
async def test_only_the_owner_acts_on_a_bot_and_only_while_it_is_there(tx, owner_id):
    if owner_id == OTHER:
        tx.bots.by_id[BOT] = a_bot()
    acts = [
        describe_bot(DescribeBot(owner_id=owner_id, bot_id=BOT, display_name="X", commands=[]), tx),
        renew_token(owner_id, BOT, tx),
        set_webhook(SetWebhook(owner_id=owner_id, bot_id=BOT, url="https://example.com", reach=PUBLIC), tx),
        remove_webhook(owner_id, BOT, tx),
        delete_bot(owner_id, BOT, tx),
    ]
    for act in acts:
        with pytest.raises(BotNotFoundError):
            await act


async def test_what_a_bot_is_called_is_what_its_account_is_called(tx_with_bot):
    command = DescribeBot(owner_id=OWNER, bot_id=BOT, display_name="Parrot", commands=[{"command": "say"}])
    described = await describe_bot(command, tx_with_bot)
    assert tx_with_bot.bots.by_id[BOT] == described == a_bot(display_name="Parrot", commands=[{"command": "say"}])
    assert tx_with_bot.bots.accounts[BOT] == "Parrot"


async def test_another_token_takes_the_place_of_the_first(tx_with_bot):
    tx_with_bot.bots.tokens[BOT] = hash_token("old")
    token = await renew_token(OWNER, BOT, tx_with_bot)
    assert tx_with_bot.bots.tokens[BOT] == hash_token(token) != hash_token("old")


async def test_a_webhook_is_kept_with_its_secret_sealed(tx_with_bot):
    command = SetWebhook(owner_id=OWNER, bot_id=BOT, url="https://Example.com/hook", reach=PUBLIC)
    secret = await set_webhook(command, tx_with_bot)
    kept = tx_with_bot.bots.by_id[BOT]
    assert kept.webhook_url == "https://example.com/hook"
    assert kept.webhook_secret == tx_with_bot.sealer.encrypt(None, secret.encode())
    await remove_webhook(OWNER, BOT, tx_with_bot)
    assert tx_with_bot.bots.by_id[BOT].webhook_url is None


async def test_addresses_of_this_machine_are_for_development(tx_with_bot):
    url = "http://127.0.0.1:9/hook"
    with pytest.raises(WebhookUrlInvalidError) as refused:
        await set_webhook(SetWebhook(owner_id=OWNER, bot_id=BOT, url=url, reach=PUBLIC), tx_with_bot)
    assert refused.value.pointer == "/url"
    assert tx_with_bot.bots.by_id[BOT].webhook_url is None
    await set_webhook(SetWebhook(owner_id=OWNER, bot_id=BOT, url=url, reach=LOCAL), tx_with_bot)
    assert tx_with_bot.bots.by_id[BOT].webhook_url == url


async def test_a_deleted_bot_has_ended_as_an_account_too(tx_with_bot):
    await delete_bot(OWNER, BOT, tx_with_bot)
    assert tx_with_bot.bots.by_id == {}
    assert tx_with_bot.endings.ended == {BOT: tx_with_bot.now}
