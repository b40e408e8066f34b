"""Messages: what may be written, where, and whose phone rings."""

import io
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image, UnidentifiedImageError

from tests.fakes.discord_api import forms
from tests.fakes.discord_api.calls import Upload
from tests.fakes.discord_api.gateway import Gateway
from tests.fakes.discord_api.payloads import Payloads
from tests.fakes.discord_api.refusals import Json, Path, Problems, Refused, Why, wrong
from tests.fakes.discord_api.world import (
    NONCE_WINDOW_S,
    Attachment,
    Channel,
    Interaction,
    Look,
    Message,
    MessageFlag,
    Permission,
    User,
    World,
    walk,
)

#: The flags that a bot may set, and that an interaction's answer may.
SETTABLE = (
    MessageFlag.SUPPRESS_EMBEDS | MessageFlag.SUPPRESS_NOTIFICATIONS | MessageFlag.COMPONENTS_V2
)
SETTABLE_IN_ANSWERS = SETTABLE | MessageFlag.EPHEMERAL
SETTABLE_IN_EDITS = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.COMPONENTS_V2


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A message as somebody wants it, checked against its own rules but not yet sent."""

    look: Look
    flags: MessageFlag
    allowed_mentions: Json | None


class Writing:
    """Makes, changes and removes messages, and tells the gateway."""

    def __init__(self, world: World, payloads: Payloads, gateway: Gateway) -> None:
        self._world = world
        self._payloads = payloads
        self._gateway = gateway

    # Files. --------------------------------------------------------------------------------

    def store(self, upload: Upload, folder: str, **known: Any) -> Attachment:
        """Put a file on the CDN."""
        ident = self._world.new_id()
        kind = mimetypes.guess_type(upload.filename)[0] or "application/octet-stream"
        attachment = Attachment(
            id=ident,
            filename=upload.filename,
            data=upload.data,
            content_type=kind,
            path=f"{folder}/{ident}/{upload.filename}",
            size_px=picture_size(upload.data),
            **known,
        )
        self._world.files[attachment.path] = attachment
        return attachment

    # Messages. -----------------------------------------------------------------------------

    def draft(
        self,
        channel: Channel,
        payload: Json,
        uploads: Mapping[int, Upload],
        *,
        settable: MessageFlag,
        current: Message | None = None,
        at: Path = (),
    ) -> Draft:
        """Check what is to be shown in *channel*; refuse what Discord refuses."""
        if any(len(upload.data) > channel.file_limit for upload in uploads.values()):
            raise Refused(Why.ENTITY_TOO_LARGE)
        flags = self._flags(payload, settable, current, at)
        before = Look() if current is None else current.look
        look = replace(before, attachments=self._attachments(channel, payload, uploads, before, at))
        if "content" in payload:
            look = replace(look, content=payload["content"] or "")
        if "embeds" in payload:
            look = replace(look, embeds=tuple(payload["embeds"] or ()))
        if "components" in payload:
            look = replace(look, components=tuple(payload["components"] or ()))
        problems = Problems()
        if "components" in payload:
            check_components(payload["components"] or [], flags, look, problems, at)
        check_embeds(payload.get("embeds") or [], look, problems, at)
        if MessageFlag.COMPONENTS_V2 in flags:
            for name in ("content", "embeds"):
                if getattr(look, name):
                    words = (
                        f"The '{name}' field cannot be used when using "
                        "MessageFlags.IS_COMPONENTS_V2"
                    )
                    code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
                    problems.add((*at, name), code, words)
        check_mentions(payload.get("allowed_mentions"), problems, at)
        problems.refuse()
        if look == Look():
            raise Refused(Why.EMPTY_MESSAGE)
        self._automod(channel, look)
        look = replace(
            look,
            embeds=tuple(self._shown_embed(embed, look) for embed in look.embeds),
            components=self._shown_components(look),
        )
        return Draft(look=look, flags=flags, allowed_mentions=payload.get("allowed_mentions"))

    def send(
        self,
        channel: Channel,
        draft: Draft,
        *,
        author: User | None = None,
        reference: Json | None = None,
        interaction: Interaction | None = None,
        nonce: str | None = None,
    ) -> Message:
        """Put a message into *channel* and tell everybody."""
        target = None
        if reference is not None:
            target = channel.messages.get(int(reference["message_id"]))
            reference = {
                "message_id": str(reference["message_id"]),
                "channel_id": str(channel.id),
                **({} if channel.guild is None else {"guild_id": str(channel.guild.id)}),
            }
        secret = MessageFlag.EPHEMERAL in draft.flags and interaction is not None
        message = Message(
            id=self._world.new_id(),
            channel=channel,
            author=author or self._world.bot,
            look=draft.look,
            flags=draft.flags,
            sent_at=self._world.clock.now(),
            reply_to=target,
            reference=reference,
            interaction=interaction,
            only_for=interaction.user if secret and interaction is not None else None,
            nonce=nonce,
        )
        channel.messages[message.id] = message
        self._mention(message, draft.allowed_mentions, rings=not message.loading)
        if message.author is self._world.bot:
            self._world.recent.append(message)
        self._gateway.message("MESSAGE_CREATE", message)
        return message

    def edit(self, message: Message, draft: Draft) -> None:
        """Change what *message* shows. Nobody's phone rings by it."""
        message.before.append(message.look)
        # The first words of an answer that was "thinking" are its first, not a change.
        if not message.loading:
            message.edited_at = self._world.clock.now()
        message.look = draft.look
        message.flags = draft.flags & ~MessageFlag.LOADING
        self._mention(message, draft.allowed_mentions, rings=False)
        self._gateway.message("MESSAGE_UPDATE", message)

    def delete(self, message: Message) -> None:
        """Remove *message*."""
        gone = message.channel.messages.pop(message.id)
        if not gone.ephemeral:
            data = {"id": str(gone.id), "channel_id": str(gone.channel.id)}
            self._gateway.about("MESSAGE_DELETE", gone.channel, data)

    def sent_with(self, nonce: str) -> Message | None:
        """The bot's message of the past few minutes that carries *nonce*."""
        since = self._world.clock.now() - NONCE_WINDOW_S
        for message in self._world.recent:
            if message.nonce == nonce and message.sent_at >= since and not message.deleted:
                return message
        return None

    # Rules. --------------------------------------------------------------------------------

    def _flags(
        self, payload: Json, settable: MessageFlag, current: Message | None, at: Path
    ) -> MessageFlag:
        asked = MessageFlag(payload.get("flags") or 0)
        if asked & ~settable:
            words = f"Only {int(settable)} may be set here."
            raise wrong((*at, "flags"), "BASE_TYPE_CHOICES", words)
        if current is None:
            return asked
        if "flags" not in payload:
            return current.flags
        # "Once a message has been sent with this flag, it can't be removed from that message."
        return current.flags & ~MessageFlag.SUPPRESS_EMBEDS | asked

    def _attachments(
        self,
        channel: Channel,
        payload: Json,
        uploads: Mapping[int, Upload],
        before: Look,
        at: Path,
    ) -> tuple[Attachment, ...]:
        listed = payload.get("attachments")
        if listed is None and "attachments" not in payload:
            listed = [{"id": file.id} for file in before.attachments]
            listed += [{"id": number} for number in uploads]
        staying = {file.id: file for file in before.attachments}
        new = dict(uploads)
        kept: list[Attachment] = []
        folder = f"attachments/{channel.id}"
        for index, entry in enumerate(listed or []):
            ident = int(entry["id"])
            if ident in staying:
                file = staying.pop(ident)
                words = entry.get("description", file.description)
                file = file if words == file.description else replace(file, description=words)
            elif ident in new:
                upload = new.pop(ident)
                name = entry.get("filename", upload.filename)
                spoiler = entry.get("is_spoiler", False)
                about = {"description": entry.get("description"), "spoiler": spoiler}
                file = self.store(replace(upload, filename=name), folder, **about)
            else:
                words = f"No attachment and no files[{ident}] here."
                raise wrong((*at, "attachments", index, "id"), "ATTACHMENT_NOT_FOUND", words)
            kept.append(file)
        if new:
            words = f"files{list(new)} are not among the attachments."
            raise wrong((*at, "attachments"), "ATTACHMENT_NOT_LISTED", words)
        if len(kept) > 10:
            words = "Must be 10 or fewer in length."
            raise wrong((*at, "attachments"), "BASE_TYPE_MAX_LENGTH", words)
        return tuple(kept)

    def _automod(self, channel: Channel, look: Look) -> None:
        if channel.guild is None:
            return
        said = " ".join(texts(look)).casefold()
        if any(word.casefold() in said for word in channel.guild.blocked_words):
            raise Refused(Why.BLOCKED_BY_AUTOMOD)

    def _shown_embed(self, embed: Json, look: Look) -> Json:
        shown = {"type": "rich", **embed}
        for name in ("image", "thumbnail"):
            if name in embed:
                shown[name] = self._shown_media(embed[name], look)
        return shown

    def _shown_components(self, look: Look) -> tuple[Json, ...]:
        taken = {part["id"] for part in walk(look.components) if part.get("id")}
        free = (number for number in range(1, 10_000) if number not in taken)

        def shown(part: Json) -> Json:
            part = {**part, "id": part.get("id") or next(free)}
            if "components" in part:
                part["components"] = [shown(child) for child in part["components"]]
            if "accessory" in part:
                part["accessory"] = shown(part["accessory"])
            for name in ("media", "file"):
                if name in part:
                    part[name] = self._shown_media(part[name], look)
            if "items" in part:
                part["items"] = [
                    {**item, "media": self._shown_media(item["media"], look)}
                    for item in part["items"]
                ]
            return part

        return tuple(shown(part) for part in look.components)

    def _shown_media(self, media: Json, look: Look) -> Json:
        file = attached(media["url"], look)
        if file is None:
            return {"proxy_url": media["url"], **media}
        link = self._payloads.link(file)
        return {
            "url": link,
            "proxy_url": link,
            "width": file.size_px[0] if file.size_px else None,
            "height": file.size_px[1] if file.size_px else None,
            "content_type": file.content_type,
            "attachment_id": str(file.id),
        }

    def _mention(self, message: Message, allowed: Json | None, *, rings: bool) -> None:
        channel = message.channel
        said = " ".join(texts(message.look))
        users = {int(ident) for ident in re.findall(r"<@!?(\d+)>", said)}
        roles = {int(ident) for ident in re.findall(r"<@&(\d+)>", said)}
        parse = {"users", "roles", "everyone"} if allowed is None else {*allowed.get("parse", ())}
        if allowed is not None:
            if "users" not in parse:
                users &= {int(ident) for ident in allowed.get("users", ())}
            if "roles" not in parse:
                roles &= {int(ident) for ident in allowed.get("roles", ())}
        known = [self._world.users[ident] for ident in sorted(users) if ident in self._world.users]
        target = message.reply_to
        replied = True if allowed is None else allowed.get("replied_user", False)
        if target is not None and replied and target.author not in known:
            known.append(target.author)
        message.mentions = known
        if not rings or message.ephemeral:
            return
        reach = {user for user in known if channel.may(user, Permission.VIEW_CHANNEL)}
        message.pinged = reach - {message.author}
        may_all = channel.may(message.author, Permission.MENTION_EVERYONE)
        if channel.guild is not None and may_all:
            found = channel.guild.roles
            message.pinged_roles = {found[ident] for ident in roles if ident in found}
            loud = "@everyone" in said or "@here" in said
            message.pinged_everyone = loud and "everyone" in parse


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height, if *data* is a picture."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None


def texts(look: Look) -> Iterator[str]:
    """The words in which a mention counts: embeds never mention anybody."""
    yield look.content
    for part in walk(look.components):
        if part["type"] == 10:
            yield part["content"]


def attached(url: str, look: Look) -> Attachment | None:
    """The file that `attachment://name` means, or that *url* is a link to."""
    for file in look.attachments:
        if url == f"attachment://{file.filename}" or file.path in url:
            return file
    return None


def check_mentions(allowed: Json | None, problems: Problems, at: Path) -> None:
    """A kind is either parsed or listed."""
    for kind in ("users", "roles"):
        if allowed and kind in allowed.get("parse", ()) and allowed.get(kind):
            words = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            code = "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"
            problems.add((*at, "allowed_mentions"), code, words)


def check_embeds(embeds: list[Json], look: Look, problems: Problems, at: Path) -> None:
    """6,000 characters in all; pictures that are there."""
    total = 0
    for embed in embeds:
        total += len(embed.get("title", "")) + len(embed.get("description", ""))
        total += len(embed.get("footer", {}).get("text", ""))
        total += len(embed.get("author", {}).get("name", ""))
        total += sum(len(row["name"]) + len(row["value"]) for row in embed.get("fields", []))
    if total > 6000:
        words = "Embed size exceeds maximum size of 6000"
        problems.add((*at, "embeds"), "MAX_EMBED_SIZE_EXCEEDED", words)
    for index, embed in enumerate(embeds):
        for name in ("image", "thumbnail"):
            if name in embed:
                where = (*at, "embeds", index, name, "url")
                check_media(embed[name]["url"], look, problems, where)


def check_media(url: str, look: Look, problems: Problems, at: Path) -> None:
    """`attachment://name` must name a file of the same message."""
    if url.startswith("attachment://") and attached(url, look) is None:
        problems.add(at, "ATTACHMENT_NOT_FOUND", f"Attachment {url} not found.")


def check_components(
    parts: list[Json], flags: MessageFlag, look: Look, problems: Problems, at: Path
) -> None:
    """What the tables of fields cannot say about components."""
    at = (*at, "components")
    layout = MessageFlag.COMPONENTS_V2 in flags
    if parts:
        shape = forms.LAYOUT_COMPONENTS if layout else forms.LEGACY_COMPONENTS
        shape.check(parts, at, problems)
    if problems.errors:
        return
    everything = list(walk(parts))
    if len(everything) > 40:
        problems.add(at, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 40 in length.")
    if sum(len(part["content"]) for part in everything if part["type"] == 10) > 4000:
        words = "The total text of components exceeds 4000 characters."
        problems.add(at, "COMPONENT_TEXT_SIZE_EXCEEDED", words)
    check_custom_ids(everything, problems, at)
    for part in everything:
        match part["type"]:
            case 1:
                check_row(part, problems, at)
            case 2:
                check_button(part, problems, at)
            case 11:
                check_media(part["media"]["url"], look, problems, at)
            case 12:
                for item in part["items"]:
                    check_media(item["media"]["url"], look, problems, at)
            case 13:
                if not part["file"]["url"].startswith("attachment://"):
                    words = "Only attachment://<filename> is supported for files."
                    problems.add(at, "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", words)
                check_media(part["file"]["url"], look, problems, at)
            case _:
                pass


def check_custom_ids(everything: list[Json], problems: Problems, at: Path) -> None:
    """No two components with one custom id."""
    ids = [part["custom_id"] for part in everything if "custom_id" in part]
    if len(ids) != len(set(ids)):
        words = "Component custom id cannot be duplicated"
        problems.add(at, "COMPONENT_CUSTOM_ID_DUPLICATED", words)


def check_row(row: Json, problems: Problems, at: Path) -> None:
    """Five buttons or one select."""
    kinds = [part["type"] for part in row["components"]]
    if any(kind != 2 for kind in kinds) and len(kinds) > 1:
        words = "A row holds up to 5 buttons or a single select."
        problems.add(at, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", words)


#: By style: what a button must have, what it cannot have.
BUTTON_RULES: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {
    **dict.fromkeys((1, 2, 3, 4), (("custom_id",), ("url", "sku_id"))),
    5: (("url",), ("custom_id", "sku_id")),
    6: (("sku_id",), ("custom_id", "label", "url", "emoji")),
}


def check_button(button: Json, problems: Problems, at: Path) -> None:
    """Each style of button has its own fields."""
    must, cannot = BUTTON_RULES[button["style"]]
    for name in must:
        if not button.get(name):
            problems.add((*at, name), "BASE_TYPE_REQUIRED", "This field is required")
    for name in cannot:
        if button.get(name):
            words = f"A button of style {button['style']} cannot have a {name}."
            problems.add((*at, name), "BUTTON_COMPONENT_INVALID_FIELD", words)
    if button["style"] != 6 and not button.get("label") and not button.get("emoji"):
        words = "A button needs a label or an emoji."
        problems.add((*at, "label"), "BUTTON_COMPONENT_LABEL_REQUIRED", words)
