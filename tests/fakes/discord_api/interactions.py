"""Calls by which an app answers what people did with it. The token in the path is the right."""

import dataclasses

from tests.fakes.discord_api import forms
from tests.fakes.discord_api.calls import Answer, Call, Route, route
from tests.fakes.discord_api.payloads import Payloads
from tests.fakes.discord_api.refusals import Json, Path, Problems, Refused, Why, wrong
from tests.fakes.discord_api.shapes import Shape
from tests.fakes.discord_api.world import (
    ANSWER_WITHIN_S,
    TOKEN_LASTS_S,
    Interaction,
    InteractionKind,
    Look,
    Message,
    MessageFlag,
    Permission,
    World,
    walk,
)
from tests.fakes.discord_api.writing import (
    SETTABLE_IN_ANSWERS,
    SETTABLE_IN_EDITS,
    Draft,
    Writing,
    check_custom_ids,
)

#: Follow-ups of one interaction where the app is installed to the person only.
FOLLOWUPS_WHERE_NOT_A_MEMBER = 5

#: Which types of answer fit what a person did.
FITTING = {
    InteractionKind.COMMAND: {4, 5, 9},
    InteractionKind.COMPONENT: {4, 5, 6, 7, 9},
    InteractionKind.AUTOCOMPLETE: {8},
    InteractionKind.MODAL_SUBMIT: {4, 5, 6, 7},
}


class InteractionCalls:
    """Answers them."""

    def __init__(self, world: World, payloads: Payloads, writing: Writing) -> None:
        self._world = world
        self._payloads = payloads
        self._writing = writing

    def routes(self) -> list[Route]:
        """The table."""
        webhook = "/webhooks/{application}/{token}"
        message = webhook + "/messages/{message}"
        look = forms.JUST_A_LOOK
        files: Json = {"takes_files": True, "for_bots": False}
        return [
            route(
                "POST",
                "/interactions/{interaction}/{token}/callback",
                self.callback,
                forms.CALLBACK,
                query="with_response",
                **files,
            ),
            route("POST", webhook, self.follow_up, look, query="wait with_components", **files),
            route("GET", message, self.get, for_bots=False),
            route("PATCH", message, self.edit, look, query="with_components", **files),
            route("DELETE", message, self.delete, for_bots=False),
        ]

    # The first answer. ---------------------------------------------------------------------

    def callback(self, call: Call) -> Answer:
        """Create Interaction Response."""
        interaction = self._world.interactions.get(call.names["token"])
        if interaction is None or str(interaction.id) != call.names["interaction"]:
            raise Refused(Why.UNKNOWN_INTERACTION)
        if interaction.answered:
            raise Refused(Why.ALREADY_ACKNOWLEDGED)
        if self._world.clock.now() > interaction.created_at + ANSWER_WITHIN_S:
            raise Refused(Why.UNKNOWN_INTERACTION)
        kind = call.form["type"]
        self._check_fitting(interaction, kind)
        data: Json = call.form.get("data") or {}
        match kind:
            case 4:
                draft = self._draft(interaction, data, call, at=("data",))
                interaction.reply = self._send(interaction, draft)
            case 5:
                flags = MessageFlag(data.get("flags", 0))
                if flags & ~MessageFlag.EPHEMERAL:
                    words = "The only valid message flag here is EPHEMERAL."
                    raise wrong(("data", "flags"), "BASE_TYPE_CHOICES", words)
                thinking = Draft(
                    look=Look(),
                    flags=self._forced(interaction, flags) | MessageFlag.LOADING,
                    allowed_mentions=None,
                )
                interaction.reply = self._send(interaction, thinking)
            case 6:
                interaction.reply = interaction.message
            case 7:
                interaction.reply = interaction.message
                if interaction.message is not None and data:
                    self._change(interaction.message, data, call, at=("data",))
            case 8:
                interaction.choices = self._choices(interaction, data["choices"])
            case _:
                check_modal(data)
                interaction.modal = data
        interaction.answered_by = kind
        if call.query.get("with_response") not in ("1", "true"):
            return 204, None
        return 200, self._callback_response(interaction, kind)

    def _check_fitting(self, interaction: Interaction, kind: int) -> None:
        fitting = FITTING[interaction.kind]
        if kind not in fitting or (kind in (6, 7) and interaction.message is None):
            words = f"Value must be one of {fitting}."
            raise wrong(("type",), "BASE_TYPE_CHOICES", words)

    def _choices(self, interaction: Interaction, choices: list[Json]) -> list[Json]:
        focused = next(part for part in options_of(interaction.data) if part.get("focused"))
        shape: Shape = forms.choices(forms.TYPED[focused["type"]])
        problems = Problems()
        shape.check(choices, ("data", "choices"), problems)
        problems.refuse()
        return choices

    def _callback_response(self, interaction: Interaction, kind: int) -> Json:
        about: Json = {"id": str(interaction.id), "type": int(interaction.kind)}
        resource: Json = {"type": kind}
        message = interaction.reply
        if message is not None and kind in (4, 5, 6, 7):
            about |= {
                "response_message_id": str(message.id),
                "response_message_loading": message.loading,
                "response_message_ephemeral": message.ephemeral,
            }
            if kind in (4, 7):
                resource["message"] = self._payloads.message(message)
        return {"interaction": about, "resource": resource}

    # What follows. -------------------------------------------------------------------------

    def follow_up(self, call: Call) -> Answer:
        """Create Followup Message; `wait` is always true."""
        interaction = self._interaction(call)
        draft = self._draft(interaction, call.form, call, at=())
        thinking = interaction.reply
        if thinking is not None and thinking.loading and not thinking.deleted:
            # "This endpoint will function as Edit Original Interaction Response", "the ephemeral
            # flag will be ignored".
            secrecy = thinking.flags & MessageFlag.EPHEMERAL
            flags = draft.flags & ~MessageFlag.EPHEMERAL | secrecy
            self._writing.edit(thinking, dataclasses.replace(draft, flags=flags))
            return 200, self._payloads.message(thinking)
        limited = interaction.user_installed_only
        if limited and interaction.followups_sent >= FOLLOWUPS_WHERE_NOT_A_MEMBER:
            raise Refused(Why.TOO_MANY_FOLLOWUPS)
        message = self._send(interaction, draft)
        interaction.followups.append(message)
        interaction.followups_sent += 1
        return 200, self._payloads.message(message)

    def get(self, call: Call) -> Answer:
        """Get Original Interaction Response, or a follow-up."""
        return 200, self._payloads.message(self._message(call))

    def edit(self, call: Call) -> Answer:
        """Edit Original Interaction Response, or a follow-up."""
        message = self._message(call)
        self._change(message, call.form, call, at=())
        return 200, self._payloads.message(message)

    def delete(self, call: Call) -> Answer:
        """Delete Original Interaction Response, or a follow-up."""
        self._writing.delete(self._message(call))
        return 204, None

    # What most of them need. ---------------------------------------------------------------

    def _interaction(self, call: Call) -> Interaction:
        interaction = self._world.interactions.get(call.names["token"])
        ours = call.names["application"] == str(self._world.application_id)
        if interaction is None or not interaction.answered or not ours:
            raise Refused(Why.UNKNOWN_WEBHOOK)
        if self._world.clock.now() > interaction.created_at + TOKEN_LASTS_S:
            raise Refused(Why.INVALID_WEBHOOK_TOKEN)
        return interaction

    def _message(self, call: Call) -> Message:
        interaction = self._interaction(call)
        if call.names["message"] == "@original":
            message = interaction.reply
        else:
            ident = call.number("message", Why.UNKNOWN_MESSAGE)
            own = [interaction.reply, *interaction.followups]
            message = next((m for m in own if m is not None and m.id == ident), None)
        if message is None or message.deleted:
            raise Refused(Why.UNKNOWN_MESSAGE)
        return message

    def _draft(self, interaction: Interaction, data: Json, call: Call, at: Path) -> Draft:
        draft = self._writing.draft(
            interaction.channel, data, call.uploads, settable=SETTABLE_IN_ANSWERS, at=at
        )
        return dataclasses.replace(draft, flags=self._forced(interaction, draft.flags))

    def _forced(self, interaction: Interaction, flags: MessageFlag) -> MessageFlag:
        """Without the right to use external apps, what such an app says is for one person."""
        may = interaction.channel.may(interaction.user, Permission.USE_EXTERNAL_APPS)
        if interaction.user_installed_only and not may:
            return flags | MessageFlag.EPHEMERAL
        return flags

    def _send(self, interaction: Interaction, draft: Draft) -> Message:
        reference = None
        if interaction.kind is InteractionKind.COMPONENT and interaction.message is not None:
            reference = {"message_id": str(interaction.message.id)}
        return self._writing.send(
            interaction.channel, draft, interaction=interaction, reference=reference
        )

    def _change(self, message: Message, data: Json, call: Call, at: Path) -> None:
        draft = self._writing.draft(
            message.channel,
            data,
            call.uploads,
            settable=SETTABLE_IN_EDITS,
            current=message,
            at=at,
        )
        self._writing.edit(message, draft)


def options_of(data: Json) -> list[Json]:
    """The values that a person gave, of a command or of its subcommand."""
    found: list[Json] = data.get("options", [])
    while found and found[0]["type"] in (1, 2):
        found = found[0]["options"]
    return found


def check_modal(modal: Json) -> None:
    """What the tables of fields cannot say about a form."""
    problems = Problems()
    everything = list(walk(modal["components"]))
    check_custom_ids(everything, problems, ("data", "components"))
    for part in everything:
        if part["type"] == 4 and part.get("min_length", 0) > part.get("max_length", 4000):
            words = "min_length must not be greater than max_length."
            problems.add(("data", "components"), "BASE_TYPE_BAD_LENGTH", words)
    problems.refuse()
