"""How a bot gets its updates: by asking (getUpdates), or by being told (a webhook)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from tests.fakes.telegram.methods import Parameters
from tests.fakes.telegram.refusals import (
    SECOND_POLLER,
    WEBHOOK_ACTIVE,
    Refusal,
    bad_request,
    conflict,
)
from tests.fakes.telegram.switchboard import Switchboard
from tests.fakes.telegram.world import Body, BotAccount, Webhook

#: Between tries at a webhook that does not answer 2xx; the real server waits longer each time.
RETRY_WEBHOOK_S = 0.1
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass
class Poll:
    """One getUpdates that waits."""

    #: Why it may not wait any longer.
    ended: Refusal | None = None


@dataclass
class UpdateDesk:
    """Hands each bot what waits for it."""

    switchboard: Switchboard
    _polls: dict[int, Poll] = field(default_factory=dict[int, Poll])
    _webhooks: dict[int, asyncio.Task[None]] = field(default_factory=dict[int, asyncio.Task[None]])

    async def get_updates(self, bot: BotAccount, parameters: Parameters) -> list[Body]:
        """The updates from `offset` on; confirms, and so forgets, all before it."""
        if bot.webhook is not None:
            raise conflict(WEBHOOK_ACTIVE)
        self._end_poll(bot, SECOND_POLLER)
        poll = self._polls[bot.id] = Poll()
        _choose_kinds(bot, parameters)
        offset = int(parameters.get("offset", 0))
        if offset < 0:
            bot.updates = bot.updates[offset:]
        else:
            bot.updates = [update for update in bot.updates if update["update_id"] >= offset]
        self.switchboard.changed()
        try:
            await self.switchboard.until(
                lambda: bot.updates or poll.ended, timeout_s=max(0, parameters.get("timeout", 0))
            )
        except TimeoutError:
            return []
        finally:
            if self._polls.get(bot.id) is poll:
                del self._polls[bot.id]
                self.switchboard.changed()
        if poll.ended is not None:
            raise poll.ended
        limit = int(parameters.get("limit", 100))
        if not 1 <= limit <= 100:
            limit = 100
        return bot.updates[:limit]

    def is_polled(self, bot: BotAccount) -> bool:
        """Whether a getUpdates of *bot* waits now."""
        return bot.id in self._polls

    def set_webhook(self, bot: BotAccount, parameters: Parameters) -> bool:
        """Post updates to `url` from now on, or to nobody if it is empty."""
        url = parameters.get("url", "")
        if not url:
            return self.delete_webhook(bot, parameters)
        address = urlsplit(url)
        if address.scheme != "https" and address.hostname not in LOOPBACK:
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        self._end_poll(bot, "terminated by setWebhook request")
        _choose_kinds(bot, parameters)
        if parameters.get("drop_pending_updates"):
            bot.updates.clear()
        bot.webhook = Webhook(
            url=url,
            secret_token=parameters.get("secret_token"),
            max_connections=parameters.get("max_connections", 40),
        )
        self.start_webhook(bot)
        return True

    def delete_webhook(self, bot: BotAccount, parameters: Parameters) -> bool:
        """Go back to being asked."""
        if parameters.get("drop_pending_updates"):
            bot.updates.clear()
        bot.webhook = None
        if bot.id in self._webhooks:
            self._webhooks.pop(bot.id).cancel()
        return True

    def webhook_info(self, bot: BotAccount) -> Body:
        """The answer to getWebhookInfo."""
        webhook = bot.webhook
        info: Body = {
            "url": "" if webhook is None else webhook.url,
            "has_custom_certificate": False,
            "pending_update_count": len(bot.updates),
        }
        if bot.allowed_updates is not None:
            info["allowed_updates"] = bot.allowed_updates
        if webhook is not None:
            info["max_connections"] = webhook.max_connections
            if webhook.last_error_date is not None:
                info["last_error_date"] = webhook.last_error_date
                info["last_error_message"] = webhook.last_error_message
        return info

    def start_webhook(self, bot: BotAccount) -> None:
        """Begin to post the updates of *bot*, in place of any earlier webhook."""
        if bot.id in self._webhooks:
            self._webhooks.pop(bot.id).cancel()
        if bot.webhook is not None:
            self._webhooks[bot.id] = asyncio.create_task(self._post_updates(bot, bot.webhook))

    async def close(self) -> None:
        """Stop posting, and let go of all who wait."""
        for poll in self._polls.values():
            poll.ended = Refusal(502, "Bad Gateway")
        self.switchboard.changed()
        tasks = list(self._webhooks.values())
        self._webhooks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _post_updates(self, bot: BotAccount, webhook: Webhook) -> None:
        headers = {}
        if webhook.secret_token:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret_token
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                await self.switchboard.until(lambda: bot.updates, timeout_s=None)
                update = bot.updates[0]
                trouble = await _post(session, webhook.url, update)
                if trouble is None:
                    bot.updates = [one for one in bot.updates if one is not update]
                    self.switchboard.changed()
                    continue
                webhook.last_error_date = int(self.switchboard.world.now())
                webhook.last_error_message = trouble
                await asyncio.sleep(RETRY_WEBHOOK_S)

    def _end_poll(self, bot: BotAccount, why: str) -> None:
        if bot.id in self._polls:
            self._polls.pop(bot.id).ended = conflict(why)
            self.switchboard.changed()


async def _post(session: aiohttp.ClientSession, url: str, update: Body) -> str | None:
    """Post one update; what went wrong, None if nothing did."""
    try:
        async with session.post(url, json=update) as response:
            if response.ok:
                return None
            return f"Wrong response from the webhook: {response.status} {response.reason}"
    except aiohttp.ClientError as exc:
        return f"Connection refused: {exc}"


def _choose_kinds(bot: BotAccount, parameters: Parameters) -> None:
    """`allowed_updates` is remembered from call to call; an empty list is the default."""
    if "allowed_updates" in parameters:
        bot.allowed_updates = parameters["allowed_updates"] or None
