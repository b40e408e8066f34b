"""`vivant admin …` and `vivant ledger …`: the operator at the machine itself.

`operations` knows what the words do; this reads them, and opens no more than they need.
"""

import asyncio
import os
import secrets
import sys
from collections.abc import Coroutine
from typing import Annotated, Any, Literal, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from vivant.errors import VivantError
from vivant.ledger import open_ledger
from vivant.ledger.move import move as copied
from vivant.operations import Desk
from vivant.services import leases_of, limits_of
from vivant.settings import Settings

T = TypeVar("T")
JobId = Annotated[str, typer.Argument(help="as `vivant admin jobs` lists it")]
Owner = Annotated[str, typer.Argument(help="platform:user id, as in telegram:12345")]

admin_app = typer.Typer(help="The operator's words. What changes anything is written down.")
ledger_app = typer.Typer(help="The books: check them, or move them to Postgres.")
admin_app.add_typer(ledger_app, name="ledger")


@admin_app.command()
def jobs(
    owner: Annotated[str, typer.Argument(help="one person's: platform:user id")] = "",
) -> None:
    """What waits, and what there is; or what one person asked for, the newest first."""
    _say("jobs", owner)


@admin_app.command()
def job(job_id: JobId) -> None:
    """One job."""
    _say("job", job_id)


@admin_app.command()
def cancel(job_id: JobId) -> None:
    """End a job that has no answer yet; its clip is given back."""
    _say("cancel", job_id)


@admin_app.command()
def refund(job_id: JobId) -> None:
    """Give a clip back that was charged."""
    _say("refund", job_id)


@admin_app.command()
def grant(owner: Owner, clips: Annotated[int, typer.Argument(min=1)]) -> None:
    """Add clips that do not lapse."""
    _say("grant", owner, str(clips))


@admin_app.command()
def ban(owner: Owner) -> None:
    """Take nothing new from somebody."""
    _say("ban", owner)


@admin_app.command()
def unban(owner: Owner) -> None:
    """Take it again."""
    _say("unban", owner)


@admin_app.command("stars-back")
def stars_back(
    user_id: Annotated[int, typer.Argument(help="on Telegram")],
    charge_id: Annotated[str, typer.Argument(help="of the payment, as Telegram names it")],
) -> None:
    """Give Stars back; those of its clips that are not spent go once Telegram tells the bot."""
    from vivant.bots.telegram import give_stars_back  # noqa: PLC0415  # only with its extra

    _run(give_stars_back(_settings(), user_id, charge_id))
    sys.stdout.write("Given back. Of the clips, the bot takes those that are not spent.\n")


@admin_app.command()
def reports() -> None:
    """What was reported."""
    _say("reports")


@admin_app.command()
def drain(switch: Literal["on", "off"]) -> None:
    """Take nothing new from anybody, or take it again."""
    _say("drain", switch)


@admin_app.command()
def audit() -> None:
    """What was done with these words, refused by policy, or given up."""
    _say("audit")


@ledger_app.command()
def check() -> None:
    """Whether the books add up."""
    _say("ledger", "check")


@ledger_app.command()
def move(
    to: Annotated[str, typer.Option("--to", help="postgresql+asyncpg://user:password@host/name")],
) -> None:
    """Copy everything into an empty database, counted and summed; what is here stays as it is.

    Stop bots and engines first, and set VIVANT_DATABASE_URL to the new one after.
    """
    counts = _run(copied(_settings().ledger_url, to))
    table = Table("table", "rows", box=None)
    for name, count in counts.items():
        table.add_row(name, str(count))
    Console().print(table)
    sys.stdout.write("Moved, and the sums are the same. Now set VIVANT_DATABASE_URL.\n")


def _say(*words: str) -> None:
    settings = _settings()

    async def say() -> str:
        async with open_ledger(
            settings.ledger_url, leases_of(settings), limits_of(settings)
        ) as ledger:
            # No radio: the books can be looked after while Redis is away.
            desk = Desk(ledger, None, f"machine:{os.geteuid()}", secrets.token_hex(8))
            return await desk.do(" ".join(words))

    sys.stdout.write(f"{_run(say())}\n")


def _settings() -> Settings:
    try:
        return Settings.load()
    except VivantError as exc:
        raise _failed(exc) from None


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except VivantError as exc:
        raise _failed(exc) from None


def _failed(exc: VivantError) -> typer.Exit:
    sys.stderr.write(f"vivant: {exc}\n")
    return typer.Exit(1)
