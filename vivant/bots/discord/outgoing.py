"""Our words and clips into Discord's.

A response to an interaction is changed by the interaction's token while that lasts, every other
message of ours by its channel. Nothing in it pings but the one who asked.
"""

import asyncio
import hashlib
import io
import logging
import re
from dataclasses import dataclass, field
from typing import Any, Final

import discord
from discord import AllowedMentions, MessageReference, Object
from discord.utils import MISSING

from vivant.bots.discord.buttons import view_of
from vivant.bots.discord.place import PLATFORM, Place, Shown
from vivant.bots.discord.refusals import (
    CANNOT_REPLY_WITHOUT_HISTORY,
    MISSING_PERMISSIONS,
    TOKEN_IS_OVER,
    UNKNOWN_MESSAGE,
    our_errors,
)
from vivant.chat import Answer, Button, Film, Verb
from vivant.clips import ReplyTo
from vivant.errors import ClipRefused, MessageGone, PlatformError, TryLater
from vivant.houses import Houses

#: Five edits in five seconds is what a channel bears, shared by all jobs in it.
_EDIT_EVERY_S: Final = 2.0
_LONGEST_TEXT: Final = 2000
_LONGEST_NONCE: Final = 25
_LONGEST_ALT_TEXT: Final = 1024
_LONGEST_THREAD_NAME: Final = 100
_AFTER_A_DELETED_LINE_S: Final = 2.0
#: An edit of words that takes longer than this is not worth waiting for.
_PATIENCE_S: Final = 30.0
#: What Discord's apps make something of. Where a link ends here, it ends in `<…>` too: nothing
#: behind it may stand unescaped because it looked like a part of the link.
_ACTIVE: Final = re.compile(
    r"(?P<url>https?://[^\s<>\[\]()\\]+)"
    r"|(?P<indent>^[ \t]*)[>#-]"
    r"|[\\*_~|`\[]",
    re.IGNORECASE | re.MULTILINE,
)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class DiscordPlatform:
    """Sends through one bot account that is logged in."""

    client: discord.Client
    #: The application's id, which is its bot's.
    bot: str
    houses: Houses
    name: str = field(default=PLATFORM, init=False)

    @property
    def shows(self) -> frozenset[Verb]:
        """All but "as a file": Discord hands out a clip as it was made; and packs are SKUs."""
        return frozenset(Verb) - {Verb.FILE, Verb.BUY}

    def edit_every_s(self, to: ReplyTo) -> float:
        """The same everywhere."""
        del to
        return _EDIT_EVERY_S

    def moment(self, at: float, language: str = "en") -> str:
        """A time that every reader's own app counts down, in that app's language."""
        del language
        return f"<t:{round(at)}:R>"

    async def send_text(
        self, to: ReplyTo, text: str, *, buttons: tuple[Button, ...] = (), nonce: str | None = None
    ) -> str:
        """Reply in the channel; where the bot may not write, follow up, or write to the asker."""
        place = Place.of(to)
        with our_errors():
            if not place.is_away:
                channel = self.client.get_partial_messageable(place.channel_id)
                return str(Shown(message_id=await self._send(channel, place, text, buttons, nonce)))
            by_token = await self._followed_up(place, text, buttons)
            if by_token is not None:
                return str(Shown(message_id=by_token, by_token=True))
            direct = await self.client.create_dm(Object(place.asker_id or 0))
            sent = await self._send(direct, None, text, buttons, nonce)
            return str(Shown(message_id=sent, channel_id=direct.id))

    async def _followed_up(
        self, place: Place, text: str, buttons: tuple[Button, ...]
    ) -> int | None:
        """A message by the token; None where it lets none through any more."""
        if place.open_token is None:
            return None
        try:
            # No nonce here: Discord knows none for follow-ups.
            message = await self._webhook(place.open_token).send(
                written(text),
                view=view_of(buttons) or MISSING,
                allowed_mentions=AllowedMentions.none(),
                wait=True,
            )
        except discord.HTTPException as exc:
            if exc.code not in TOKEN_IS_OVER:
                raise
            return None
        return message.id

    async def edit_text(
        self, to: ReplyTo, message_id: str, text: str, *, buttons: tuple[Button, ...] = ()
    ) -> None:
        """Change a message of ours; by its channel once the token has ended."""
        place, shown = Place.of(to), Shown.of(message_id)
        view = view_of(buttons)
        with our_errors():
            if shown.by_token and place.open_token is not None:
                # By a token discord.py waits for as long as a 429 says, and the answer with it.
                async with asyncio.timeout(_PATIENCE_S):
                    await self._webhook(place.open_token).edit_message(
                        shown.message_id,
                        content=written(text),
                        view=view,
                        allowed_mentions=AllowedMentions.none(),
                    )
            else:
                await self._message(place, shown).edit(
                    content=_addressed(place, shown, text),
                    view=view,
                    allowed_mentions=_asker(place),
                )

    async def edit_into(self, to: ReplyTo, message_id: str, answer: Answer) -> None:
        """Turn a message of ours into the answer.

        Once the token has ended that is a new line's business, which also rings. Raises
        `ClipRefused` where the bot may not attach files.
        """
        place, shown = Place.of(to), Shown.of(message_id)
        view = view_of(answer.buttons)
        house = await self.houses.at(to)
        files = []
        if answer.film is not None:
            files = [_file(answer.film, answer.text, spoiler=house.spoiler)]
        with our_errors():
            if shown.by_token and place.token is not None:
                if place.open_token is None:
                    raise MessageGone("the interaction's fifteen minutes are over")
                await self._webhook(place.open_token).edit_message(
                    shown.message_id,
                    content=written(answer.text),
                    attachments=files,
                    view=view,
                    allowed_mentions=AllowedMentions.none(),
                )
            else:
                try:
                    await self._message(place, shown).edit(
                        content=_addressed(place, shown, answer.text),
                        attachments=files,
                        view=view,
                        allowed_mentions=_asker(place),
                    )
                except discord.Forbidden as exc:
                    # Words alone may be changed without any permission.
                    if exc.code != MISSING_PERMISSIONS or not files:
                        raise
                    raise ClipRefused("the bot may not attach files there") from exc
        may_have_one = place.server_id is not None and place.parent_id is None and not place.is_away
        if house.threads and answer.film is not None and may_have_one:
            await self._open_thread(place, shown, answer.text)

    async def send_file(self, to: ReplyTo, film: Film) -> None:
        """One more message with the clip; where the bot may not write, to the asker."""
        place = Place.of(to)
        with our_errors():
            channel: discord.abc.Messageable
            if place.is_away:
                channel = await self.client.create_dm(Object(place.asker_id or 0))
            else:
                channel = self.client.get_partial_messageable(place.channel_id)
            await channel.send(
                film.text,
                file=_file(film, film.file_name),
                allowed_mentions=AllowedMentions.none(),
            )

    async def remove(self, to: ReplyTo, message_id: str) -> None:
        """Delete a message of ours; one that is gone is success."""
        place, shown = Place.of(to), Shown.of(message_id)
        try:
            with our_errors():
                if shown.by_token and place.open_token is not None:
                    await self._webhook(place.open_token).delete_message(shown.message_id)
                else:
                    await self._message(place, shown).delete()
        except MessageGone:
            return

    async def alone_with(self, user_id: str) -> ReplyTo | None:
        """Their DM with the bot."""
        with our_errors():
            chat = await self.client.create_dm(Object(int(user_id)))
        return Place(channel_id=chat.id).reply_to(self.bot)

    async def _open_thread(self, place: Place, shown: Shown, text: str) -> None:
        """A thread on the clip, for what comes of it; where none can be, the clip is enough."""
        name = text.partition("\n")[0][:_LONGEST_THREAD_NAME]
        try:
            with our_errors():
                await self._message(place, shown).create_thread(name=name)
        except PlatformError as exc:
            logger.info("no thread was opened", extra={"why": str(exc)})

    async def _send(
        self,
        channel: discord.PartialMessageable | discord.DMChannel,
        place: Place | None,
        text: str,
        buttons: tuple[Button, ...],
        nonce: str | None,
        *,
        refers: bool = True,
    ) -> int:
        """One message, once for each *nonce*; a reply where there is a *place* to reply to."""
        more: dict[str, Any] = {}
        if place is not None and place.message_id and refers:
            more["reference"] = MessageReference(
                message_id=place.message_id, channel_id=place.channel_id, fail_if_not_exists=False
            )
        if nonce is not None:
            more["nonce"] = _short(nonce)
        view = view_of(buttons)
        if view is not None:
            more["view"] = view
        said = written(text) if place is None else _addressed(place, None, text)
        try:
            message = await channel.send(said, allowed_mentions=_asker(place), **more)
        except discord.Forbidden as exc:
            if exc.code != CANNOT_REPLY_WITHOUT_HISTORY or not refers:
                raise
            return await self._send(channel, place, text, buttons, nonce, refers=False)
        except discord.NotFound as exc:
            if exc.code != UNKNOWN_MESSAGE:
                raise
            # A message of this nonce was sent and deleted; the next line has another.
            raise TryLater(_AFTER_A_DELETED_LINE_S) from exc
        return message.id

    def _webhook(self, token: str) -> discord.Webhook:
        return discord.Webhook.partial(int(self.bot), token, client=self.client)

    def _message(self, place: Place, shown: Shown) -> discord.PartialMessage:
        if place.is_away and shown.channel_id is None:
            raise MessageGone("only the interaction's token could change it")
        channel = self.client.get_partial_messageable(
            shown.channel_id or place.channel_id, guild_id=place.server_id
        )
        return channel.get_partial_message(shown.message_id)


def _file(film: Film, alt_text: str, *, spoiler: bool = False) -> discord.File:
    return discord.File(
        io.BytesIO(film.video),
        film.file_name,
        spoiler=spoiler,
        description=alt_text.partition("\n")[0][:_LONGEST_ALT_TEXT],
    )


def written(text: str) -> str:
    """*text* as it reads: no word of a person becomes markdown, a link or a picture of one."""
    return _ACTIVE.sub(_tamed, text)[:_LONGEST_TEXT]


def _tamed(found: re.Match[str]) -> str:
    if found["url"]:
        return f"<{found['url']}>"  # Discord shows no picture of it
    indent = found["indent"] or ""
    return f"{indent}\\{found[0].removeprefix(indent)}"


def _addressed(place: Place, shown: Shown | None, text: str) -> str:
    """*text*, after the name of the asker where no reply says whom it is for."""
    is_response = shown is not None and (shown.by_token or shown.channel_id is not None)
    if place.asker_id is None or is_response:
        return written(text)
    return f"<@{place.asker_id}> {written(text)}"[:_LONGEST_TEXT]


def _asker(place: Place | None) -> AllowedMentions:
    """Whose phone may ring."""
    if place is None:
        return AllowedMentions.none()
    named = [] if place.asker_id is None else [Object(place.asker_id)]
    return AllowedMentions(
        everyone=False, roles=False, users=named, replied_user=place.asker_id is None
    )


def _short(nonce: str) -> str:
    if len(nonce) <= _LONGEST_NONCE:
        return nonce
    return hashlib.sha256(nonce.encode()).hexdigest()[:_LONGEST_NONCE]
