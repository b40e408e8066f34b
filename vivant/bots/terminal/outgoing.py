"""Our words into lines, our clips into files."""

import asyncio
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.status import Status

from vivant.bots.terminal import BOT, PLATFORM
from vivant.chat import Answer, Button, Film, Verb
from vivant.clips import ReplyTo
from vivant.errors import Undeliverable


@dataclass(slots=True)
class TerminalPlatform:
    """One line that changes, and a file at the end. A chat's id is the path of its file."""

    console: Console
    name: Final[str] = PLATFORM
    bot: Final[str] = BOT
    shows: Final[frozenset[Verb]] = frozenset()
    #: Answers by the id of the message that asked.
    answers: dict[str, Answer] = field(default_factory=dict)
    _line: Status | None = field(default=None, init=False)

    def edit_every_s(self, to: ReplyTo) -> float:
        """As often as there is news."""
        del to
        return 0.0

    def moment(self, at: float, language: str = "en") -> str:
        """Seconds for what is soon, an hour of the day for what is not."""
        del language
        seconds = at - time.time()
        if seconds < 90:
            return f"in about {max(1, round(seconds))} s"
        return time.strftime("at %H:%M", time.localtime(at))

    async def send_text(
        self, to: ReplyTo, text: str, *, buttons: tuple[Button, ...] = (), nonce: str | None = None
    ) -> str:
        """Start the line."""
        await self.edit_text(to, "", text, buttons=buttons)
        return nonce or secrets.token_hex(4)

    async def edit_text(
        self, to: ReplyTo, message_id: str, text: str, *, buttons: tuple[Button, ...] = ()
    ) -> None:
        """Change the line."""
        del to, message_id, buttons
        shown = " ".join(text.splitlines())
        if self._line is None:
            self._line = self.console.status(shown)
            self._line.start()
        else:
            self._line.update(shown)

    async def edit_into(self, to: ReplyTo, message_id: str, answer: Answer) -> None:
        """Write the clip, whole or not at all; a second time it is the same file."""
        del message_id
        if answer.film is not None:
            await asyncio.to_thread(_write, Path(to.chat_id), answer.film.video)
        if to.message_id is not None:
            self.answers[to.message_id] = answer

    async def send_file(self, to: ReplyTo, film: Film) -> None:
        """A terminal's clip is a file already."""

    async def remove(self, to: ReplyTo, message_id: str) -> None:
        """There is but one line."""

    async def alone_with(self, user_id: str) -> ReplyTo | None:
        """Nowhere: a terminal has one reader, who is told already."""
        del user_id
        return None

    def end_line(self) -> None:
        """Take the line away."""
        if self._line is not None:
            self._line.stop()
            self._line = None


def _write(path: Path, video: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(video)
        part.replace(path)
    except OSError as exc:
        raise Undeliverable(f"cannot write {path}: {exc.strerror}") from exc
