"""One log for every process: an event in plain words, then its facts. Never a token."""

import logging
import sys
from collections.abc import Iterable
from typing import Final

#: What a record has anyway; everything else came with `extra=`.
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
#: Libraries whose INFO lines print addresses, tokens or what was sent.
_TALKATIVE: Final = ("httpx", "httpcore", "telegram", "discord", "alembic", "aiosqlite")


class _Line(logging.Formatter):
    """Time, level, process, event, facts; with every secret blotted out."""

    def __init__(self, process: str, secrets: Iterable[str]) -> None:
        super().__init__(f"%(asctime)s %(levelname)-7s {process}: %(message)s", "%H:%M:%S")
        # A token may be several with commas between them.
        parts = [part.strip() for secret in secrets for part in secret.split(",")]
        self._secrets = [part for part in parts if part]

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        facts = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if facts:
            line += " " + " ".join(f"{name}={value}" for name, value in facts.items())
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line


def start_log(process: str, *, secrets: Iterable[str] = (), level: int = logging.INFO) -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line(process, secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
