"""The fields that each call may carry, as tables (documentation of API v10)."""

from typing import Any

from tests.fakes.discord_api.refusals import Problems
from tests.fakes.discord_api.shapes import (
    Among,
    AnyObject,
    ByType,
    Form,
    Many,
    Mapped,
    Number,
    OrNull,
    Shape,
    Snowflake,
    Text,
    Whole,
    YesNo,
)

LOCALES = frozenset({
    "en-US", "en-GB", "bg", "zh-CN", "zh-TW", "hr", "cs", "id", "da", "nl", "fi", "fr", "de", "el",
    "hi", "hu", "it", "ja", "ko", "es-419", "lt", "no", "pl", "pt-BR", "ro", "ru", "es-ES", "sv-SE",
    "th", "tr", "uk", "vi",
})  # fmt: skip

# Components. -------------------------------------------------------------------------------

CUSTOM_ID = Text(100, low=1)
EMOJI = Form({"id": OrNull(Snowflake()), "name": OrNull(Text(100)), "animated": YesNo()})
MEDIA = Form({"url": Text(2048, low=1)}, ("url",))
CHOICE_OPTION = Form(
    {
        "label": Text(100, low=1),
        "value": Text(100, low=1),
        "description": OrNull(Text(100)),
        "default": YesNo(),
    },
    ("label", "value"),
)
SELECT_OPTION = Form({**CHOICE_OPTION.known, "emoji": EMOJI}, CHOICE_OPTION.required)
DEFAULT_VALUES = Many(
    Form({"id": Snowflake(), "type": Among(("user", "role", "channel"))}, ("id", "type")), 25
)


def component(*required: str, **known: Shape) -> Form:
    """The form of one kind of component; all of them have a type and may have an id."""
    return Form({"type": Whole(), "id": Whole(0, 2**31 - 1), **known}, ("type", *required))


def select(**known: Shape) -> Form:
    """The form of one kind of select menu."""
    return component(
        "custom_id",
        custom_id=CUSTOM_ID,
        placeholder=Text(150),
        min_values=Whole(0, 25),
        max_values=Whole(1, 25),
        disabled=YesNo(),
        required=YesNo(),
        **known,
    )


BUTTON = component(
    "style",
    style=Whole(1, 6),
    label=Text(80),
    emoji=EMOJI,
    custom_id=CUSTOM_ID,
    sku_id=Snowflake(),
    url=Text(512),
    disabled=YesNo(),
)
SELECTS = {
    3: select(options=Many(SELECT_OPTION, 25, low=1)),
    5: select(default_values=DEFAULT_VALUES),
    6: select(default_values=DEFAULT_VALUES),
    7: select(default_values=DEFAULT_VALUES),
    8: select(default_values=DEFAULT_VALUES, channel_types=Many(Whole(0, 16), 17)),
}
TEXT_INPUT = component(
    "custom_id",
    "style",
    custom_id=CUSTOM_ID,
    style=Among((1, 2)),
    label=OrNull(Text(45)),
    min_length=Whole(0, 4000),
    max_length=Whole(1, 4000),
    required=YesNo(),
    value=Text(4000),
    placeholder=Text(100),
)
TEXT_DISPLAY = component("content", content=Text(4000, low=1))
THUMBNAIL = component("media", media=MEDIA, description=OrNull(Text(1024)), spoiler=YesNo())
GALLERY_ITEM = Form(
    {"media": MEDIA, "description": OrNull(Text(1024)), "spoiler": YesNo()}, ("media",)
)
ROW = component("components", components=Many(ByType({2: BUTTON, **SELECTS}), 5, low=1))
SECTION = component(
    "components",
    "accessory",
    components=Many(ByType({10: TEXT_DISPLAY}), 3, low=1),
    accessory=ByType({2: BUTTON, 11: THUMBNAIL}),
)
IN_A_CONTAINER = {
    1: ROW,
    9: SECTION,
    10: TEXT_DISPLAY,
    12: component("items", items=Many(GALLERY_ITEM, 10, low=1)),
    13: component("file", file=MEDIA, spoiler=YesNo()),
    14: component(divider=YesNo(), spacing=Among((1, 2))),
}
CONTAINER = component(
    "components",
    components=Many(ByType(IN_A_CONTAINER), 40, low=1),
    accent_color=OrNull(Whole(0, 0xFFFFFF)),
    spoiler=YesNo(),
)
#: Without the flag IS_COMPONENTS_V2 a message has rows only, at most five.
LEGACY_COMPONENTS = Many(ByType({1: ROW}), 5)
LAYOUT_COMPONENTS = Many(ByType({**IN_A_CONTAINER, 17: CONTAINER}), 40, low=1)

IN_A_LABEL = {
    **SELECTS,
    4: TEXT_INPUT,
    19: component(
        "custom_id",
        custom_id=CUSTOM_ID,
        min_values=OrNull(Whole(0, 10)),
        max_values=OrNull(Whole(1, 10)),
        required=YesNo(),
    ),
    21: component(
        "custom_id",
        "options",
        custom_id=CUSTOM_ID,
        options=Many(CHOICE_OPTION, 10, low=2),
        required=YesNo(),
    ),
    22: component(
        "custom_id",
        "options",
        custom_id=CUSTOM_ID,
        options=Many(CHOICE_OPTION, 10, low=1),
        min_values=OrNull(Whole(0, 10)),
        max_values=OrNull(Whole(1, 10)),
        required=YesNo(),
    ),
    23: component("custom_id", custom_id=CUSTOM_ID, default=YesNo()),
}
LABEL = component(
    "label",
    "component",
    label=Text(45, low=1),
    description=Text(100),
    component=ByType(IN_A_LABEL),
)
OLD_MODAL_ROW = component("components", components=Many(ByType({4: TEXT_INPUT}), 1, low=1))

# Messages. ---------------------------------------------------------------------------------

URL = Text(2048, low=1, pattern=r"(https?|attachment)://\S+")
EMBED = Form(
    {
        "title": Text(256),
        "type": Text(20),
        "description": Text(4096),
        "url": URL,
        "timestamp": Text(40),
        "color": Whole(0, 0xFFFFFF),
        "flags": Whole(0),
        "footer": Form({"text": Text(2048), "icon_url": URL}, ("text",)),
        "image": Form({"url": URL}, ("url",)),
        "thumbnail": Form({"url": URL}, ("url",)),
        "author": Form({"name": Text(256), "url": URL, "icon_url": URL}, ("name",)),
        "fields": Many(
            Form(
                {"name": Text(256, low=1), "value": Text(1024, low=1), "inline": YesNo()},
                ("name", "value"),
            ),
            25,
        ),
    }
)
ALLOWED_MENTIONS = Form(
    {
        "parse": Many(Among(("roles", "users", "everyone")), 3),
        "roles": Many(Snowflake(), 100),
        "users": Many(Snowflake(), 100),
        "replied_user": YesNo(),
    }
)
ATTACHMENT = Form(
    {
        "id": Snowflake(),
        "filename": Text(1024),
        "title": Text(1024),
        "description": OrNull(Text(1024)),
        "duration_secs": Number(),
        "waveform": Text(400),
        "is_spoiler": YesNo(),
        # discord.py sends these back for a file that stays; Discord knows them better.
        "proxy_url": Text(4096),
        "size": Whole(0),
        "url": Text(4096),
        "spoiler": YesNo(),
        "height": Whole(0),
        "width": Whole(0),
        "content_type": Text(100),
    },
    ("id",),
)
#: What a message shows; every call that writes one takes these. `components` are looked into
#: once the flags are known.
LOOK: dict[str, Shape] = {
    "content": OrNull(Text(2000)),
    "embeds": OrNull(Many(EMBED, 10)),
    "allowed_mentions": OrNull(ALLOWED_MENTIONS),
    "components": OrNull(Many(AnyObject(), 40)),
    "attachments": OrNull(Many(ATTACHMENT, 10)),
    "flags": OrNull(Whole(0)),
    # Only read when a message is made; discord.py sends it with edits too.
    "tts": YesNo(),
}
REFERENCE = Form(
    {
        "type": Among((0,)),
        "message_id": Snowflake(),
        "channel_id": Snowflake(),
        "guild_id": Snowflake(),
        "fail_if_not_exists": YesNo(),
    },
    ("message_id",),
)
NEW_MESSAGE = Form(
    {
        **LOOK,
        "nonce": Text(25),
        "enforce_nonce": YesNo(),
        "message_reference": REFERENCE,
    }
)
#: An edit; also a follow-up: "the thread_id, avatar_url, and username parameters are not
#: supported when using this endpoint for interaction followups".
JUST_A_LOOK = Form(LOOK)

# Interaction responses. --------------------------------------------------------------------

TEXT_CHOICE = Form(
    {
        "name": Text(100, low=1),
        "name_localizations": OrNull(Mapped(LOCALES, Text(100, low=1))),
        "value": Text(100),
    },
    ("name", "value"),
)
MODAL = Form(
    {
        "custom_id": CUSTOM_ID,
        "title": Text(45, low=1),
        "components": Many(ByType({1: OLD_MODAL_ROW, 10: TEXT_DISPLAY, 18: LABEL}), 5, low=1),
    },
    ("custom_id", "title", "components"),
)
CALLBACK = ByType(
    {
        4: Form({"type": Whole(), "data": JUST_A_LOOK}, ("data",)),
        5: Form({"type": Whole(), "data": OrNull(Form({"flags": Whole(0)}))}),
        6: Form({"type": Whole()}),
        7: Form({"type": Whole(), "data": OrNull(JUST_A_LOOK)}),
        8: Form(
            {"type": Whole(), "data": Form({"choices": Many(AnyObject(), 25)}, ("choices",))},
            ("data",),
        ),
        9: Form({"type": Whole(), "data": MODAL}, ("data",)),
    }
)

# Commands. ---------------------------------------------------------------------------------

#: That it is lower case, where the script has cases, is checked apart.
COMMAND_NAME = Text(32, low=1, pattern=r"[-_'\w\u0900-\u097F\u0E00-\u0E7F]+")
DESCRIPTION = Text(100, low=1)
NAMED: dict[str, Shape] = {
    "name": COMMAND_NAME,
    "name_localizations": OrNull(Mapped(LOCALES, COMMAND_NAME)),
    "description": DESCRIPTION,
    "description_localizations": OrNull(Mapped(LOCALES, DESCRIPTION)),
}


def option(**known: Shape) -> Form:
    """The form of one kind of option; all of them have a name and a description."""
    return Form({"type": Whole(), **NAMED, **known}, ("type", "name", "description"))


def choices(value: Shape) -> Many:
    """The fixed values that an option takes."""
    return Many(Form({**TEXT_CHOICE.known, "value": value}, TEXT_CHOICE.required), 25)


def numeric(value: Shape) -> Form:
    """The form of an integer or number option."""
    return option(
        required=YesNo(),
        autocomplete=YesNo(),
        min_value=value,
        max_value=value,
        choices=choices(value),
    )


#: The shape of what somebody types for an option, by its type.
TYPED: dict[int, Shape] = {
    3: Text(6000),
    4: Whole(-(2**53), 2**53),
    5: YesNo(),
    10: Number(),
}
PLAIN = option(required=YesNo())
VALUE_OPTIONS = {
    3: option(
        required=YesNo(),
        autocomplete=YesNo(),
        min_length=Whole(0, 6000),
        max_length=Whole(1, 6000),
        choices=choices(Text(100)),
    ),
    4: numeric(TYPED[4]),
    5: PLAIN,
    6: PLAIN,
    7: option(required=YesNo(), channel_types=Many(Whole(0, 16), 17)),
    8: PLAIN,
    9: PLAIN,
    10: numeric(TYPED[10]),
    11: PLAIN,
}
SUBCOMMAND = option(options=Many(ByType(VALUE_OPTIONS), 25))
GROUP = option(options=Many(ByType({1: SUBCOMMAND}), 25))
COMMAND_SETTINGS: dict[str, Shape] = {
    "type": Among((1, 2, 3)),
    # A bitfield as a string; discord.py sends the number.
    "default_member_permissions": OrNull(Snowflake()),
    "dm_permission": OrNull(YesNo()),
    "nsfw": YesNo(),
    "integration_types": OrNull(Many(Among((0, 1)), 2, low=1)),
    "contexts": OrNull(Many(Among((0, 1, 2)), 3, low=1)),
}
SLASH_COMMAND = Form(
    {
        **COMMAND_SETTINGS,
        **NAMED,
        "options": Many(ByType({1: SUBCOMMAND, 2: GROUP, **VALUE_OPTIONS}), 25),
    },
    ("name", "description"),
)
#: Of a user or of a message.
CONTEXT_COMMAND = Form(
    {
        **COMMAND_SETTINGS,
        "name": Text(32, low=1),
        "name_localizations": OrNull(Mapped(LOCALES, Text(32, low=1))),
        "description": Text(0),
    },
    ("name", "type"),
)
COMMAND = ByType({0: SLASH_COMMAND, 1: SLASH_COMMAND, 2: CONTEXT_COMMAND, 3: CONTEXT_COMMAND})

# The rest. ---------------------------------------------------------------------------------

NEW_DM = Form({"recipient_id": Snowflake()}, ("recipient_id",))
THREAD_SETTINGS: dict[str, Shape] = {
    "name": Text(100, low=1),
    "auto_archive_duration": OrNull(Among((60, 1440, 4320, 10080))),
    "rate_limit_per_user": OrNull(Whole(0, 21600)),
}
THREAD_FROM_MESSAGE = Form(THREAD_SETTINGS, ("name",))
NEW_THREAD = Form({**THREAD_SETTINGS, "type": Among((10, 11, 12)), "invitable": YesNo()}, ("name",))
NEW_POST = Form(
    {
        **THREAD_SETTINGS,
        "message": JUST_A_LOOK,
        "applied_tags": Many(Snowflake(), 5),
        # Not documented for posts, but discord.py sends it.
        "type": Among((11,)),
    },
    ("name", "message"),
)
EDITED_THREAD = Form({**THREAD_SETTINGS, "archived": YesNo(), "locked": YesNo()})
NEW_ENTITLEMENT = Form(
    {"sku_id": Snowflake(), "owner_id": Snowflake(), "owner_type": Among((1, 2))},
    ("sku_id", "owner_id", "owner_type"),
)


def check(form: Shape, value: Any) -> None:
    """Refuse *value* unless it fits *form*."""
    problems = Problems()
    form.check(value, (), problems)
    problems.refuse()
