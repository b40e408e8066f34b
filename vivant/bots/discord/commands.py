"""What people can call by name: `/animate`, `/status`, `/cancel`, `/help`."""

from typing import Any, Final

import discord
from discord import app_commands
from discord.app_commands import Choice, Range, locale_str

from vivant.bots.discord.attachments import Upload
from vivant.bots.discord.bot import VivantBot
from vivant.chat import Sender
from vivant.clips import Wish
from vivant.conversation import Conversation
from vivant.director.plan import Action
from vivant.messages import Messages

Interaction = discord.Interaction[VivantBot]

#: Discord's limit on what is suggested at once.
_MOST_SUGGESTIONS: Final = 25
_CALM: Final = 0.6
_STRONG: Final = 1.5
_MOTION: Final = [
    Choice(name=locale_str("calm"), value=_CALM),
    Choice(name=locale_str("as the words say"), value=1.0),
    Choice(name=locale_str("strong"), value=_STRONG),
]


def add_commands(tree: app_commands.CommandTree[Any]) -> None:
    """All of them."""
    tree.add_command(animate)
    tree.add_command(status)
    tree.add_command(cancel)
    tree.add_command(help_)
    tree.add_command(animate_message)


@app_commands.command(name=locale_str("animate"), description=locale_str("Bring a photo to life"))
@app_commands.describe(
    photo=locale_str("The photo"),
    action=locale_str("What shall happen, in your own words"),
    length=locale_str("How long the clip shall be, in seconds"),
    motion=locale_str("How much shall move"),
    seed=locale_str("The same number is the same performance"),
)
@app_commands.choices(motion=_MOTION)
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def animate(
    interaction: Interaction,
    photo: discord.Attachment,
    action: Range[str, 1, 1000],
    length: Range[float, 1.0, 30.0] | None = None,
    motion: float = 1.0,
    seed: Range[int, 0, 2**31 - 1] | None = None,
) -> None:
    """`/animate photo: action:`."""
    wish = Wish(strength=motion, duration_s=length, seed=seed)
    await interaction.client.on_animate(interaction, Upload.of(photo), action, wish)


@animate.autocomplete("action")
async def suggest_actions(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """What can be acted, while somebody types; their own words first."""
    words = Messages(str(interaction.locale))
    known = [words.action(action) for action in Action if action is not Action.IDLE]
    fitting = [name for name in known if typed.casefold() in name.casefold()]
    own = [typed] if typed and typed not in fitting else []
    # A suggestion is 100 characters at most; longer words are sent as they are typed.
    found = [name for name in (*own, *fitting) if len(name) <= 100]
    return [Choice(name=name, value=name) for name in found[:_MOST_SUGGESTIONS]]


@animate.autocomplete("length")
async def suggest_lengths(interaction: Interaction, typed: str) -> list[Choice[float]]:
    """The lengths that the engines which run now can make."""
    del typed
    profiles = await interaction.client.conversation.ledger.fleet.profiles()
    longest = max((profile.max_num_frames / profile.frame_rate for profile in profiles), default=5)
    usual = [length for length in (2, 3, 4, 5, 6, 8, 10) if length <= longest]
    return [Choice(name=f"{length} s", value=float(length)) for length in usual]


@app_commands.context_menu(name=locale_str("Animate"))
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def animate_message(interaction: Interaction, message: discord.Message) -> None:
    """The menu of any message."""
    await interaction.client.on_menu(interaction, message)


@app_commands.command(
    name=locale_str("status"),
    description=locale_str("What you have left, and how your clips are doing"),
)
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def status(interaction: Interaction) -> None:
    """`/status`, for the asker alone."""
    await interaction.client.answer_alone(interaction, Conversation.status)


@app_commands.command(
    name=locale_str("cancel"), description=locale_str("Stop the clips you are waiting for")
)
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def cancel(interaction: Interaction) -> None:
    """`/cancel`."""
    await interaction.client.answer_alone(interaction, Conversation.cancel)


@app_commands.command(name=locale_str("help"), description=locale_str("What I can do, and how"))
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def help_(interaction: Interaction) -> None:
    """`/help`."""
    await interaction.client.answer_alone(interaction, _help_of)


async def _help_of(conversation: Conversation, sender: Sender) -> str:
    return conversation.help(sender)
