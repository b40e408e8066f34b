"""Discord, through discord.py: a folder that translates and decides nothing."""

from vivant.bots.discord.process import run, whoami

__all__ = ["run", "whoami"]
