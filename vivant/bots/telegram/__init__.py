"""Telegram, by python-telegram-bot: what is said there becomes requests, answers go back as edits.

Updates are rows of the inbox before Telegram may forget them, and are seen to from there.
"""

import os

from vivant.bots.telegram.bot import give_stars_back, run, whoami

__all__ = ["give_stars_back", "run", "whoami"]

# The library reads it whenever Telegram asks to wait; without it, it warns each time.
os.environ.setdefault("PTB_TIMEDELTA", "1")
