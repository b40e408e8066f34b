"""What people can call by name: `/animate`, `/status`, `/settings`, and the menu of a message."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, ParamSpec

import discord
from discord import app_commands
from discord.app_commands import Choice, Command, Range

from vivant.bots.discord.attachments import Upload
from vivant.bots.discord.bot import VivantBot
from vivant.bots.discord.translating import told
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
    Choice(name=told(lambda words: words.part("calm")), value=_CALM),
    Choice(name=told(lambda words: words.part("as said")), value=1.0),
    Choice(name=told(lambda words: words.part("strong")), value=_STRONG),
]

_P = ParamSpec("_P")


def anywhere(command: Command[Any, _P, None]) -> Command[Any, _P, None]:
    """Offer *command* in servers and DMs, and to those who bring the app along."""
    here = app_commands.allowed_installs(guilds=True, users=True)
    return app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)(
        here(command)
    )


def add_commands(tree: app_commands.CommandTree[Any], *, sells: bool) -> None:
    """All of them; what is for sale only where something is."""
    tree.add_command(animate)
    tree.add_command(animate_message)
    for name, what in _ALONE.items():
        tree.add_command(_answered_alone(name, what))
    tree.add_command(settings)
    if sells:
        tree.add_command(buy)


@anywhere
@app_commands.command(name="animate", description=told(lambda words: words.part("animate")))
@app_commands.describe(
    photo=told(lambda words: words.part("photo")),
    action=told(lambda words: words.part("action")),
    length=told(lambda words: words.part("length")),
    motion=told(lambda words: words.part("motion")),
    seed=told(lambda words: words.part("seed")),
)
@app_commands.choices(motion=_MOTION)
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


@app_commands.context_menu(name=told(lambda words: words.part("menu")))
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def animate_message(interaction: Interaction, message: discord.Message) -> None:
    """The menu of any message."""
    await interaction.client.presses.on_menu(interaction, message)


@app_commands.command(name="settings", description=told(lambda words: words.command("settings")))
@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.guild_only()
async def settings(interaction: Interaction) -> None:
    """How the bot behaves in this server; for those who manage it."""
    await interaction.client.office.on_settings(interaction)


@app_commands.command(name="buy", description=told(lambda words: words.part("buy")))
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def buy(interaction: Interaction) -> None:
    """`/buy`."""
    await interaction.client.on_buy(interaction)


async def _help(conversation: Conversation, sender: Sender) -> str:
    return f"{conversation.help(sender)}\n\n{Messages(sender.language).ways_in()}"


async def _privacy(conversation: Conversation, sender: Sender) -> str:
    return conversation.privacy(sender)


async def _terms(conversation: Conversation, sender: Sender) -> str:
    return conversation.terms(sender)


#: Commands without a field, whose answer only the asker sees.
_ALONE: Final[dict[str, Callable[[Conversation, Sender], Awaitable[str]]]] = {
    "status": Conversation.status,
    "cancel": Conversation.cancel,
    "help": _help,
    "privacy": _privacy,
    "forget": Conversation.forget,
    "terms": _terms,
}


def _answered_alone(
    name: str, what: Callable[[Conversation, Sender], Awaitable[str]]
) -> Command[Any, [], None]:
    @app_commands.command(name=name, description=told(lambda words: words.command(name)))
    async def command(interaction: Interaction) -> None:
        await interaction.client.answer_alone(interaction, what)

    return anywhere(command)
