"""Telegram on loopback: a strict Bot API server, and the people who talk to the bots on it.

In a test: `async with FakeTelegram() as telegram`, then give python-telegram-bot
`telegram.base_url` and `telegram.base_file_url`. As a process of its own:
`python -m tests.fakes.telegram_api --port 8081 --token 1:A...`, whose people are played over HTTP,
see `tests.fakes.telegram.control`.

It knows nothing of Vivant. What it cannot do, it refuses.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

import msgspec
from aiohttp import web

from tests.fakes.telegram.control import Control
from tests.fakes.telegram.faults import FaultKind, Faults, FloodLimits
from tests.fakes.telegram.files import UPLOAD_LIMIT
from tests.fakes.telegram.people import NotPaid, Person
from tests.fakes.telegram.server import BotServer, Call
from tests.fakes.telegram.switchboard import Switchboard
from tests.fakes.telegram.updates import UpdateDesk
from tests.fakes.telegram.views import ShownMedia, ShownMessage, commands, shown, visible
from tests.fakes.telegram.world import (
    SERVICE,
    Body,
    BotAccount,
    Chat,
    Post,
    Status,
    Topic,
    User,
    World,
)

__all__ = [
    "BotAccount",
    "Call",
    "Chat",
    "FakeTelegram",
    "FaultKind",
    "FloodLimits",
    "NotPaid",
    "Person",
    "Post",
    "ShownMedia",
    "ShownMessage",
    "Status",
    "Topic",
]


class FakeTelegram:
    """One Telegram: its world, and the server that bots call.

    `upload_limit` above 50 MB makes it a local Bot API server, which also gives out files over
    20 MB.
    """

    def __init__(self, world: World | None = None, *, upload_limit: int = UPLOAD_LIMIT) -> None:
        self.world = world or World()
        self.switchboard = Switchboard(self.world)
        self.faults = Faults()
        self.calls: list[Call] = []
        self._desk = UpdateDesk(self.switchboard)
        self._server = BotServer(
            self.switchboard, self._desk, self.faults, self.calls, upload_limit=upload_limit
        )
        self._runner: web.AppRunner | None = None
        self._url = ""

    # -- running -----------------------------------------------------------------------------

    async def start(self, port: int = 0, *more: Callable[[web.Application], None]) -> None:
        """Serve on loopback; port 0 takes a free one. *more* may add routes of their own."""
        app = self._server.app()
        for add in more:
            add(app)
        # A client that hangs up, or is killed, waits for no updates any more.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self._url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        for bot in self.world.bots.values():
            self._desk.start_webhook(bot)

    async def close(self) -> None:
        """Stop serving; whoever still polls is let go."""
        await self._desk.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> FakeTelegram:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def url(self) -> str:
        """Where it listens: calls go to `{url}/bot<token>/<method>`."""
        return self._url

    @property
    def base_url(self) -> str:
        """For `telegram.Bot(base_url=...)`."""
        return f"{self._url}/bot"

    @property
    def base_file_url(self) -> str:
        """For `telegram.Bot(base_file_url=...)`."""
        return f"{self._url}/file/bot"

    # -- who there is ------------------------------------------------------------------------

    def add_bot(
        self, username: str = "vivant_bot", *, token: str | None = None, privacy: bool = True
    ) -> BotAccount:
        """What BotFather does; privacy mode is on at first."""
        bot_id = self.world.new_id() if token is None else int(token.partition(":")[0])
        bot = BotAccount(
            id=bot_id,
            token=token or f"{bot_id}:AAF4keT0kenF0rTestsOnLoopback{bot_id}",
            username=username,
            first_name=username.removesuffix("_bot").title(),
            privacy=privacy,
        )
        self.world.bots[bot.id] = bot
        return bot

    def add_person(
        self,
        first_name: str,
        *,
        username: str | None = None,
        language_code: str | None = "en",
    ) -> Person:
        """Somebody joins Telegram."""
        user = User(
            id=self.world.new_id(),
            first_name=first_name,
            username=username or first_name.lower(),
            language_code=language_code,
        )
        self.world.users[user.id] = user
        return Person(self.switchboard, user)

    def person(self, username: str) -> Person:
        """Somebody who has joined."""
        for user in self.world.users.values():
            if user.username == username:
                return Person(self.switchboard, user)
        raise LookupError(f"nobody is called {username!r}")

    # -- where they meet ---------------------------------------------------------------------

    def add_group(self, title: str, *members: Person | BotAccount) -> Chat:
        """A basic group; the first member made it."""
        return self._add_chat("group", -self.world.new_id(), title, members)

    def add_supergroup(
        self, title: str, *members: Person | BotAccount, is_forum: bool = False
    ) -> Chat:
        """A supergroup, with topics if it is a forum; the first member made it."""
        chat = self._add_chat("supergroup", self._large_id(), title, members)
        chat.is_forum = is_forum
        return chat

    def add_channel(
        self, title: str, *members: Person | BotAccount, discussed_in: Chat | None = None
    ) -> Chat:
        """A channel; its posts are copied to its discussion group."""
        chat = self._add_chat("channel", self._large_id(), title, members)
        if discussed_in is not None:
            chat.linked_chat_id, discussed_in.linked_chat_id = discussed_in.id, chat.id
        return chat

    def add_topic(self, forum: Chat, name: str, by: Person) -> Topic:
        """Open a topic; its number is that of the message that says so."""
        topic = Topic(id=forum.next_message_id, name=name)
        forum.topics[topic.id] = topic
        created = {"name": name, "icon_color": 7322096}
        self.switchboard.post(
            forum,
            {"forum_topic_created": created},
            sender=by.user.as_json(),
            thread_id=topic.id,
        )
        return topic

    def stand(
        self, chat: Chat, who: Person | BotAccount, status: Status, *, is_anonymous: bool = False
    ) -> None:
        """Let somebody in, or make them an administrator, or put them out."""
        if isinstance(who, BotAccount):
            self.switchboard.stand(chat, who, status, self._creator(chat))
            return
        chat.members[who.id] = status
        if is_anonymous:
            chat.anonymous.add(who.id)

    def _creator(self, chat: Chat) -> Body:
        for account_id, status in chat.members.items():
            if status is Status.CREATOR and account_id in self.world.users:
                return self.world.users[account_id].as_json()
        return SERVICE

    def migrate(self, group: Chat) -> Chat:
        """Make a supergroup of a basic group; the old chat answers with the new id."""
        chat = self._add_chat("supergroup", self._large_id(), group.title or "", ())
        chat.members = dict(group.members)
        self.switchboard.post(group, {"migrate_to_chat_id": chat.id})
        group.migrated_to = chat.id
        self.switchboard.post(chat, {"migrate_from_chat_id": group.id})
        return chat

    def _add_chat(
        self, kind: str, chat_id: int, title: str, members: Iterable[Person | BotAccount]
    ) -> Chat:
        chat = Chat(id=chat_id, type=kind, title=title)
        self.world.chats[chat.key] = chat
        for number, member in enumerate(members):
            status = Status.MEMBER if number else Status.CREATOR
            if kind == "channel" and isinstance(member, BotAccount):
                status = Status.ADMINISTRATOR  # bots are in channels as nothing less
            self.stand(chat, member, status)
        return chat

    def _large_id(self) -> int:
        return -1_000_000_000_000 - self.world.new_id()

    # -- what is to be seen ------------------------------------------------------------------

    def visible(
        self, chat: Chat, *, topic: int | None = None, by: BotAccount | None = None
    ) -> list[ShownMessage]:
        """The messages that stand in *chat* now, oldest first."""
        bot_id = None if by is None else by.id
        return visible(chat, self.world.shelf, topic=topic, by=bot_id)

    def shown(self, post: Post) -> ShownMessage:
        """One message as it stands now."""
        return shown(post, self.world.shelf)

    def commands(self, person: Person, where: Chat | BotAccount, bot: BotAccount) -> list[str]:
        """The commands of *bot* that the person's client offers there."""
        chat = person.chat_with(where) if isinstance(where, BotAccount) else where
        return commands(chat, bot, person.user)

    def called(self, method: str) -> list[Call]:
        """The calls of *method* so far."""
        return [call for call in self.calls if call.method == method]

    def is_polled(self, bot: BotAccount) -> bool:
        """Whether a getUpdates of *bot* waits now."""
        return self._desk.is_polled(bot)

    async def until(self, holds: Callable[[], object], *, timeout_s: float | None = 10.0) -> None:
        """Return as soon as *holds* does; `TimeoutError` if that takes too long."""
        await self.switchboard.until(holds, timeout_s=timeout_s)

    # -- what goes differently ---------------------------------------------------------------

    def limit_flood(self, limits: FloodLimits | None = None) -> None:
        """Enforce the flood limits from now on."""
        self._server.flood = limits or FloodLimits()

    def passes(self, seconds: float) -> None:
        """Set Telegram's clock forward: queries grow old, messages can no longer be deleted."""
        self.world.ahead_s += seconds

    def tells_again(self, bot: BotAccount, update: Body) -> None:
        """Send an update that *bot* has confirmed once more, as happens when a reply is lost."""
        bot.updates.append(update)
        self.switchboard.changed()


async def serve(telegram: FakeTelegram, port: int) -> None:
    """Serve, with the routes of `Control`, until SIGTERM."""
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    await telegram.start(port, Control(telegram).add_to)
    # The parent reads this line to learn the port, and that calls are answered from now on.
    sys.stdout.write(f"{telegram.url}\n")
    sys.stdout.flush()
    await stop.wait()
    await telegram.close()


def main() -> None:
    """The command line: a Telegram that is a process of its own."""
    parser = argparse.ArgumentParser(description="A Telegram on loopback, for tests.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token", action="append", default=[], help="a bot's; may repeat")
    parser.add_argument("--state-file", type=Path, help="where the world is kept over restarts")
    parser.add_argument("--upload-limit", type=int, default=UPLOAD_LIMIT, help="bytes")
    told = parser.parse_args()
    state_file: Path | None = told.state_file
    world = World()
    if state_file is not None and state_file.exists():
        world = msgspec.msgpack.decode(state_file.read_bytes(), type=World)
    telegram = FakeTelegram(world, upload_limit=told.upload_limit)
    for token in told.token:
        if world.bot_with(token) is None:
            telegram.add_bot(f"bot{token.partition(':')[0]}_bot", token=token)
    asyncio.run(serve(telegram, told.port))
    if state_file is not None:
        state_file.write_bytes(msgspec.msgpack.encode(world))


if __name__ == "__main__":
    main()
