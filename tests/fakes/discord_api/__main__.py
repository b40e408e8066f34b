"""A Discord that is a process of its own: `python -m tests.fakes.discord_api --port 9300`.

Its first line on standard output is the address of the API and the bot's token; calls are
answered from then on. People are played over HTTP, see `control`.
"""

import argparse
import asyncio
import signal
import sys

from tests.fakes.discord_api.control import Control
from tests.fakes.discord_api.server import DiscordServer


async def serve(port: int) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    discord = DiscordServer()
    await discord.start(port, Control(discord).add_to)
    sys.stdout.write(f"{discord.api_url} {discord.token}\n")
    sys.stdout.flush()
    await stop.wait()
    await discord.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="A Discord on loopback, for tests.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
