"""People: each verb does what a person does in a Discord app, by the same rules as the app."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.fakes.discord_api import forms
from tests.fakes.discord_api.calls import Upload
from tests.fakes.discord_api.gateway import Gateway
from tests.fakes.discord_api.payloads import Payloads, interaction_context
from tests.fakes.discord_api.refusals import Json, Problems, Refused
from tests.fakes.discord_api.world import (
    NO_FLAGS,
    Attachment,
    Channel,
    ChannelKind,
    Entitlement,
    Interaction,
    InteractionKind,
    Message,
    Permission,
    Role,
    Sku,
    User,
    World,
    walk,
)
from tests.fakes.discord_api.writing import Draft, Writing

#: A file as tests give it: named, or just its bytes.
File: TypeAlias = Upload | bytes
#: What a person gives for an option or a field of a form.
Value: TypeAlias = (
    str | float | bool | User | Channel | Role | File | Sequence[str] | Sequence[File] | None
)

_MAGIC = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif", b"RIFF": "webp"}


class CannotDo(AssertionError):
    """No person could do this in a Discord app: the test is wrong, or the bot is."""


@dataclass(eq=False, kw_only=True)
class Person(User):
    """Somebody who uses Discord."""

    world: World = field(repr=False)
    payloads: Payloads = field(repr=False)
    writing: Writing = field(repr=False)
    gateway: Gateway = field(repr=False)

    def __repr__(self) -> str:
        return f"<{self.name}>"

    # Messages. -----------------------------------------------------------------------------

    def posts(
        self,
        channel: Channel,
        text: str = "",
        *,
        files: Sequence[File] = (),
        reply_to: Message | None = None,
        rings: bool = True,
    ) -> Message:
        """Send a message; `@name` is not magic: write `bot.mention`. *rings*: ping on reply."""
        threads = channel.kind is ChannelKind.THREAD
        needed = Permission.SEND_MESSAGES_IN_THREADS if threads else Permission.SEND_MESSAGES
        if channel.deleted or not channel.may(self, Permission.VIEW_CHANNEL | needed):
            raise CannotDo(f"{self} may not write in {channel}.")
        if reply_to is not None:
            self._check_sees(reply_to)
        reference = None if reply_to is None else {"message_id": str(reply_to.id)}
        payload: Json = {"content": text}
        if not rings:
            payload["allowed_mentions"] = {"parse": ["users", "roles", "everyone"]}
        draft = self._draft(channel, payload, files)
        return self.writing.send(channel, draft, author=self, reference=reference)

    def edits(self, message: Message, text: str) -> None:
        """Change the words of an own message."""
        self._check_sees(message)
        if message.author is not self:
            raise CannotDo(f"{message} is not {self}'s.")
        self.writing.edit(message, self._draft(message.channel, {"content": text}, (), message))

    def deletes(self, message: Message) -> None:
        """Delete a message: an own one, or as a moderator."""
        self._check_sees(message)
        if message.author is not self and not message.channel.may(self, Permission.MANAGE_MESSAGES):
            raise CannotDo(f"{self} may not delete {message}.")
        self.writing.delete(message)

    def reacts(self, message: Message, emoji: str) -> None:
        """Put a reaction under a message."""
        self._check_sees(message)
        message.reactions.setdefault(emoji, []).append(self)
        data: Json = {
            "user_id": str(self.id),
            "channel_id": str(message.channel.id),
            "message_id": str(message.id),
            "message_author_id": str(message.author.id),
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": 0,
        }
        self.gateway.about("MESSAGE_REACTION_ADD", message.channel, data)

    # Commands. -----------------------------------------------------------------------------

    def runs(
        self, name: str, channel: Channel, *, locale: str | None = None, **options: Value
    ) -> Interaction:
        """Run a slash command ("animate", or "settings show"); files are uploaded for it."""
        return self.runs_with(name, channel, options, locale=locale)

    def runs_with(
        self,
        name: str,
        channel: Channel,
        options: Mapping[str, Value],
        *,
        locale: str | None = None,
    ) -> Interaction:
        """Run a slash command with these options."""
        command = self._command(name.partition(" ")[0], 1, channel)
        known = {option["name"]: option for option in leaf_of(command, name).get("options", [])}
        if not known.keys() >= options.keys():
            raise CannotDo(f"/{name} has no option {sorted(options.keys() - known.keys())}.")
        must = {word for word, option in known.items() if option.get("required")}
        if not options.keys() >= must:
            raise CannotDo(f"/{name} needs {sorted(must - options.keys())}.")
        resolved: Json = {}
        given = [
            self._option(known[word], value, resolved, channel) for word, value in options.items()
        ]
        data = self._command_data(command, name, given, resolved)
        return self._acts(InteractionKind.COMMAND, channel, data, command, locale=locale)

    def types_in(
        self,
        name: str,
        channel: Channel,
        option: str,
        text: str,
        *,
        locale: str | None = None,
        **others: Value,
    ) -> Interaction:
        """Type *text* into an option that suggests; its `choices` come back."""
        command = self._command(name.split(maxsplit=1)[0], 1, channel)
        leaf = leaf_of(command, name)
        known = {one["name"]: one for one in leaf.get("options", [])}
        if option not in known or not known[option].get("autocomplete"):
            raise CannotDo(f"/{name} suggests nothing for {option!r}.")
        # What is typed is sent as it is, and files only by their id.
        given = [{"name": option, "type": known[option]["type"], "value": text, "focused": True}]
        resolved: Json = {}
        for other, value in others.items():
            given.append(self._option(known[other], value, resolved, channel))
        data = self._command_data(command, name, given, {})
        return self._acts(InteractionKind.AUTOCOMPLETE, channel, data, command, locale=locale)

    def uses_on(
        self, target: Message | User, name: str, *, channel: Channel | None = None
    ) -> Interaction:
        """Use a command of the menu of a message, or of a user seen in *channel*."""
        resolved: Json = {}
        if isinstance(target, Message):
            self._check_sees(target)
            where, kind = target.channel, 3
            resolved["messages"] = {str(target.id): self.payloads.message(target)}
        else:
            if channel is None:
                raise CannotDo("A user's menu is opened in a channel.")
            where, kind = channel, 2
            self._resolve(target, resolved, where)
        command = self._command(name, kind, where)
        data = {
            **self._command_data(command, name, [], resolved),
            "target_id": str(target.id),
        }
        return self._acts(InteractionKind.COMMAND, where, data, command)

    # Components. ---------------------------------------------------------------------------

    def clicks(self, message: Message, button: str) -> Interaction:
        """Press a button, by its custom id or by its label."""
        self._check_sees(message)
        found = [
            part for part in message.buttons if button in (part.get("custom_id"), part.get("label"))
        ]
        if len(found) != 1:
            seen = [part.get("label") or part.get("custom_id") for part in message.buttons]
            raise CannotDo(f"{len(found)} buttons {button!r} on {message}, which has {seen}.")
        pressed = found[0]
        if pressed.get("disabled") or "custom_id" not in pressed:
            raise CannotDo(f"Pressing {pressed} tells the app nothing.")
        data = {"component_type": 2, "custom_id": pressed["custom_id"], "id": pressed["id"]}
        return self._acts(InteractionKind.COMPONENT, message.channel, data, message=message)

    def picks(self, message: Message, custom_id: str, *values: str | User | Channel) -> Interaction:
        """Choose from a select menu."""
        self._check_sees(message)
        found = [part for part in walk(message.components) if part.get("custom_id") == custom_id]
        if not found or found[0]["type"] not in forms.SELECTS or found[0].get("disabled"):
            raise CannotDo(f"No menu {custom_id!r} on {message}.")
        resolved: Json = {}
        data: Json = {
            "component_type": found[0]["type"],
            "custom_id": custom_id,
            "id": found[0]["id"],
            "values": self._picked(found[0], values, resolved, message.channel),
        }
        if resolved:
            data["resolved"] = resolved
        return self._acts(InteractionKind.COMPONENT, message.channel, data, message=message)

    def submits(self, opened: Interaction, values: Mapping[str, Value]) -> Interaction:
        """Fill in the form that *opened* showed, by custom id, and send it."""
        if opened.modal is None or opened.user is not self:
            raise CannotDo(f"No form is open for {self}.")
        left = dict(values)
        resolved: Json = {}
        ids = iter(range(1, 1000))

        def filled(part: Json) -> Json:
            shown: Json = {"type": part["type"], "id": part.get("id") or next(ids)}
            if "components" in part:
                shown["components"] = [filled(child) for child in part["components"]]
            elif "component" in part:
                shown["component"] = filled(part["component"])
            elif "custom_id" in part:
                shown["custom_id"] = part["custom_id"]
                chosen = part["custom_id"] in left
                value = left.pop(part["custom_id"]) if chosen else preset(part)
                shown |= self._field(part, value, resolved, opened.channel)
            return shown

        components = [filled(part) for part in opened.modal["components"]]
        if left:
            raise CannotDo(f"The form has no field {sorted(left)}.")
        data: Json = {"custom_id": opened.modal["custom_id"], "components": components}
        if resolved:
            data["resolved"] = resolved
        interaction = self._acts(
            InteractionKind.MODAL_SUBMIT,
            opened.channel,
            data,
            message=opened.message,
            owners=opened.owners,
        )
        opened.modal = None
        return interaction

    # Money. --------------------------------------------------------------------------------

    def buys(self, sku: Sku, *, lasts_s: float | None = None) -> Entitlement:
        """Buy something."""
        now = self.world.clock.now()
        entitlement = Entitlement(
            id=self.world.new_id(),
            sku=sku,
            user=self,
            starts_at=None if lasts_s is None else now,
            ends_at=None if lasts_s is None else now + lasts_s,
        )
        self.world.entitlements[entitlement.id] = entitlement
        self.gateway.dispatch("ENTITLEMENT_CREATE", self.payloads.entitlement(entitlement))
        return entitlement

    # How. ----------------------------------------------------------------------------------

    def _draft(
        self,
        channel: Channel,
        payload: Json,
        files: Sequence[File],
        current: Message | None = None,
    ) -> Draft:
        uploads = dict(enumerate(named(file) for file in files))
        try:
            return self.writing.draft(channel, payload, uploads, settable=NO_FLAGS, current=current)
        except Refused as refused:
            raise CannotDo(f"{self} is told: {refused}.") from refused

    def _acts(
        self,
        kind: InteractionKind,
        channel: Channel,
        data: Json,
        command: Json | None = None,
        *,
        message: Message | None = None,
        owners: Json | None = None,
        locale: str | None = None,
    ) -> Interaction:
        if owners is None:
            if message is not None and message.interaction is not None:
                owners = message.interaction.owners
            else:
                owners = self._owners(channel, command)
        interaction = Interaction(
            id=self.world.new_id(),
            kind=kind,
            token=secrets.token_urlsafe(48),
            user=self,
            channel=channel,
            data=data,
            owners=owners,
            locale=locale or self.locale,
            created_at=self.world.clock.now(),
            message=message,
        )
        self.world.interactions[interaction.token] = interaction
        # An app that is away does not get it later either.
        interaction.delivered = self.gateway.dispatch(
            "INTERACTION_CREATE",
            self.payloads.interaction(interaction),
            guild=channel.guild,
            keep=False,
        )
        return interaction

    def _owners(self, channel: Channel, command: Json | None) -> Json:
        kinds = [0, 1] if command is None else command["integration_types"]
        owners: Json = {}
        if 0 in kinds:
            if channel.guild is not None and self.world.has_bot(channel.guild):
                owners["0"] = str(channel.guild.id)
            elif interaction_context(channel, self.world.bot) == 1:
                owners["0"] = "0"
        if 1 in kinds and self.has_installed_app:
            owners["1"] = str(self.id)
        return owners

    def _command(self, name: str, kind: int, channel: Channel) -> Json:
        """The registered command that this person would be shown in *channel*."""
        if channel.deleted or not channel.may(self, Permission.VIEW_CHANNEL):
            raise CannotDo(f"{self} does not see {channel}.")
        guild = None if channel.guild is None else channel.guild.id
        registered = self.world.commands.get(None, [])
        if guild is not None:
            registered = [*self.world.commands.get(guild, []), *registered]
        for command in registered:
            if (command["name"], command["type"]) == (name, kind):
                why_not = self._hidden(command, channel)
                if why_not is not None:
                    raise CannotDo(f"{name!r} is not shown to {self} in {channel}: {why_not}.")
                return command
        known = [command["name"] for command in registered if command["type"] == kind]
        raise CannotDo(f"The app has no command {name!r} of type {kind}; it has {known}.")

    def _hidden(self, command: Json, channel: Channel) -> str | None:
        if not self._owners(channel, command):
            return "the app is installed neither here nor to this person, or not for this command"
        context = interaction_context(channel, self.world.bot)
        if command["contexts"] is not None and context not in command["contexts"]:
            return f"its contexts are {command['contexts']}"
        if channel.guild is None:
            return None if command["dm_permission"] or command["contexts"] else "not in DMs"
        if command["nsfw"] and not (channel.parent or channel).nsfw:
            return "it is for age-restricted channels"
        needed = Permission.USE_APPLICATION_COMMANDS
        wanted = command["default_member_permissions"]
        if wanted is not None:
            needed |= Permission(int(wanted)) or Permission.ADMINISTRATOR
        return None if channel.may(self, needed) else f"it needs {needed!r}"

    def _command_data(self, command: Json, name: str, given: list[Json], resolved: Json) -> Json:
        options = given
        path = command
        kinds: list[tuple[int, str]] = []
        for word in name.split()[1:] if command["type"] == 1 else []:
            path = next(one for one in path["options"] if one["name"] == word)
            kinds.append((path["type"], word))
        for kind, word in reversed(kinds):
            options = [{"type": kind, "name": word, "options": options}]
        data: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
        if options:
            data["options"] = options
        if resolved:
            data["resolved"] = resolved
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        return data

    def _option(self, known: Json, value: Value, resolved: Json, channel: Channel) -> Json:
        kind = known["type"]
        if kind in forms.TYPED:
            check_typed(known, value)
            return {"name": known["name"], "type": kind, "value": value}
        wanted: Any = {6: User, 7: Channel, 8: Role, 9: (User, Role), 11: (Upload, bytes)}[kind]
        if not isinstance(value, wanted):
            raise CannotDo(f"Option {known['name']!r} takes a {wanted}, not {value!r}.")
        assert isinstance(value, User | Channel | Role | Upload | bytes)
        ident = self._resolve(value, resolved, channel)
        return {"name": known["name"], "type": kind, "value": ident}

    def _resolve(
        self, value: User | Channel | Role | File, resolved: Json, channel: Channel
    ) -> str:
        """Put *value* among the resolved data; its id."""
        if isinstance(value, Upload | bytes):
            file = self._uploads(named(value), channel)
            resolved.setdefault("attachments", {})[str(file.id)] = self.payloads.attachment(file)
            return str(file.id)
        ident = str(value.id)
        match value:
            case User():
                resolved.setdefault("users", {})[ident] = self.payloads.user(value)
                member = None if channel.guild is None else channel.guild.members.get(value.id)
                if member is not None:
                    payload = self.payloads.member(member, with_user=False)
                    permissions = str(int(channel.permissions_of(value)))
                    payload = {**payload, "permissions": permissions}
                    resolved.setdefault("members", {})[ident] = payload
            case Channel():
                payload = {
                    **self.payloads.channel(value),
                    "permissions": str(int(value.permissions_of(self))),
                }
                resolved.setdefault("channels", {})[ident] = payload
            case Role():
                resolved.setdefault("roles", {})[ident] = self.payloads.role(value)
        return ident

    def _uploads(self, upload: Upload, channel: Channel) -> Attachment:
        if len(upload.data) > channel.file_limit:
            raise CannotDo(f"{upload.filename} is larger than {channel.file_limit} bytes.")
        folder = f"ephemeral-attachments/{self.world.application_id}"
        return self.writing.store(upload, folder)

    def _picked(
        self, menu: Json, values: Sequence[object], resolved: Json, channel: Channel
    ) -> list[str]:
        low, high = (
            1 if menu.get(end) is None else menu[end] for end in ("min_values", "max_values")
        )
        if not low <= len(values) <= high:
            raise CannotDo(f"{menu['custom_id']!r} takes {low} to {high} values, not {values!r}.")
        if "options" in menu:
            known = [option["value"] for option in menu["options"]]
            if not set(known).issuperset(values):
                raise CannotDo(f"{menu['custom_id']!r} has {known}, not {values!r}.")
            return [str(value) for value in values]
        picked = []
        for value in values:
            if not isinstance(value, User | Channel | Role | Upload | bytes):
                raise CannotDo(f"{menu['custom_id']!r} does not take {value!r}.")
            picked.append(self._resolve(value, resolved, channel))
        return picked

    def _field(self, part: Json, value: Value, resolved: Json, channel: Channel) -> Json:
        """What one field of a form sends."""
        required = part.get("required", True)
        match part["type"], value:
            case 4, str():
                low = part.get("min_length", 1 if required else 0)
                if not (low <= len(value) <= part.get("max_length", 4000)) and (required or value):
                    raise CannotDo(f"{value!r} is too short or long for {part['custom_id']!r}.")
                return {"value": value}
            case 21, str() | None:
                known = [option["value"] for option in part["options"]]
                if (value is None and required) or (value is not None and value not in known):
                    raise CannotDo(f"{part['custom_id']!r} has {known}, not {value!r}.")
                return {"value": value}
            case 23, bool():
                return {"value": value}
            case ((3 | 5 | 6 | 7 | 8 | 19 | 22), (list() | tuple())):
                if not value and not required:
                    return {"values": []}
                return {"values": self._picked(part, value, resolved, channel)}
            case _:
                pass
        raise CannotDo(f"{part['custom_id']!r} (type {part['type']}) does not take {value!r}.")

    def _check_sees(self, message: Message) -> None:
        if message not in message.channel.seen_by(self):
            raise CannotDo(f"{self} does not see {message}.")


def named(file: File) -> Upload:
    """A file with a name."""
    if isinstance(file, Upload):
        return file
    ending = next((end for magic, end in _MAGIC.items() if file.startswith(magic)), "bin")
    return Upload(f"photo.{ending}", file)


def leaf_of(command: Json, name: str) -> Json:
    """The command, or the subcommand of it, that *name* is."""
    leaf = command
    for word in name.split()[1:]:
        found = [one for one in leaf.get("options", []) if one["name"] == word]
        if not found or found[0]["type"] not in (1, 2):
            raise CannotDo(f"The app has no command /{name}.")
        leaf = found[0]
    if any(one["type"] in (1, 2) for one in leaf.get("options", [])):
        raise CannotDo(f"/{name} is only the first part of its subcommands.")
    return leaf


def check_typed(known: Json, value: Value) -> None:
    """What the app itself keeps a person from sending."""
    problems = Problems()
    forms.TYPED[known["type"]].check(value, (known["name"],), problems)
    choices = [choice["value"] for choice in known.get("choices", [])]
    if problems.errors or (choices and value not in choices):
        raise CannotDo(f"Option {known['name']!r} does not take {value!r} {choices or ''}.")
    size = len(value) if isinstance(value, str) else value
    low = known.get("min_value", known.get("min_length"))
    high = known.get("max_value", known.get("max_length"))
    assert isinstance(size, int | float)
    if (low is not None and size < low) or (high is not None and size > high):
        raise CannotDo(f"Option {known['name']!r} takes {low} to {high}, not {value!r}.")


def preset(part: Json) -> Value:
    """What a field of a form holds before anybody touches it."""
    chosen = [option["value"] for option in part.get("options", []) if option.get("default")]
    match part["type"]:
        case 4:
            return str(part.get("value", ""))
        case 21:
            return chosen[0] if chosen else None
        case 23:
            return bool(part.get("default", False))
        case _:
            return chosen
