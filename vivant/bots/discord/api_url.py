"""Where Discord is: the public API, or another one such as a test server.

discord.py keeps both addresses on classes, for the whole process; this is the only place that
sets them.
"""

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route


def point_at(api_url: str) -> None:
    """Send all REST calls to *api_url*, such as `https://discord.com/api/v10`.

    Before `login`. Webhooks and answers to interactions go there too: they share the `Route`.
    """
    Route.BASE = api_url.rstrip("/")


async def follow_gateway(client: discord.Client) -> None:
    """Let *client* connect to the gateway that its API names; call it in `setup_hook`.

    discord.py asks `/gateway/bot` only where it chooses the number of shards itself; else, and
    after an invalid session, it takes the public address.

    Raises `discord.GatewayNotFound`.
    """
    _, url, _ = await client.http.get_bot_gateway()
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url)
