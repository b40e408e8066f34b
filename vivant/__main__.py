"""The command line: `vivant`, or `python -m vivant`."""

import asyncio
import json
import logging
import os
import shlex
import shutil
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from vivant import __version__
from vivant.admin import admin_app, ledger_app
from vivant.clips import Wish
from vivant.demo import PHOTO, WORDS
from vivant.errors import (
    LedgerDown,
    MediaMissing,
    RedisDown,
    RedisMissing,
    SettingsError,
    VivantError,
)
from vivant.logs import start_log
from vivant.processes import (
    EXIT_SETTINGS,
    engine_at_hand,
    is_alive,
    run_bot,
    run_engine,
    run_everything,
    stop_signal,
    stop_with_parent,
)
from vivant.services import open_services, running
from vivant.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
engine_app = typer.Typer(help="Render clips; or see and fetch engines.")
app.add_typer(engine_app, name="engine")
app.add_typer(admin_app, name="admin")
app.add_typer(ledger_app, name="ledger")

T = TypeVar("T")
WithParent = Annotated[bool, typer.Option("--with-parent", hidden=True)]


def _show_version(is_asked: bool) -> None:
    if is_asked:
        sys.stdout.write(f"vivant {__version__}\n")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Send a photo and a few words; the photo comes back moving."""
    del version


@app.command()
def up() -> None:
    """Everything on this machine: Redis if none is named, an engine, each bot with a token."""
    settings = _settings("vivant")
    _run(run_everything(settings), misfit=EXIT_SETTINGS)


@app.command()
def animate(
    photo: Annotated[Path, typer.Argument(help="JPEG, PNG, WebP, GIF or AVIF", dir_okay=False)],
    words: Annotated[str, typer.Argument(help='what should happen: "group hug"')] = "",
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="the clip; default: PHOTO-alive.mp4 here")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="length of the clip", min=0.5)] = None,
    strength: Annotated[
        float, typer.Option(help="below 1 is calmer, above is stronger", min=0.1, max=3)
    ] = 1.0,
    seed: Annotated[
        int | None, typer.Option(help="the same seed is the same clip", min=0, max=2**31 - 1)
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="the end leads into the start")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="all in the photo are adults, and fine with it")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one line for scripts")] = False,
) -> None:
    """Bring one photo to life. Exit code 0: a clip; 1: not set up; 3: refused; 4: no clip."""
    wish = Wish(strength=strength, duration_s=seconds, seed=seed, loop=loop)
    target = (out or Path(f"{photo.stem}-alive.mp4")).absolute()
    try:
        code = _animate(photo, words, target, wish, yes=yes, as_json=as_json)
    except _Complaint as complaint:
        if as_json:
            _tell_script(None, complaint.said, {})
        raise
    raise typer.Exit(code)


@app.command()
def demo(
    photo: Annotated[
        Path, typer.Argument(help="your own photo", show_default="Eileen Collins, NASA")
    ] = PHOTO,
    words: Annotated[str, typer.Option(help="your own words")] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="all in the photo are adults, and fine with it")
    ] = False,
) -> None:
    """The whole path with a photo that ships with Vivant: real queue, real worker, real clip."""
    said = words or (WORDS if photo == PHOTO else "")
    code = _animate(photo, said, Path("vivant-demo.mp4").absolute(), Wish(), yes=yes)
    if code == 0:
        data_dir = os.environ.get("VIVANT_DATA_DIR")
        here = f"export VIVANT_DATA_DIR={shlex.quote(data_dir)}\n  " if data_dir else ""
        vivant = "vivant" if shutil.which("vivant") else shlex.quote(sys.argv[0])
        Console(stderr=True).print(
            f"\nNext:\n  {here}"
            f'{vivant} animate me.jpg "smile and wave"    # your own photo\n'
            f"  {vivant} doctor    # what is set up, and what is missing\n"
            f"  {vivant} up    # the bots, once a token is set: README",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    raise typer.Exit(code)


def _animate(
    photo: Path, words: str, target: Path, wish: Wish, *, yes: bool, as_json: bool = False
) -> int:
    from vivant.bots.terminal.animate import Exit, animate, unrationed  # noqa: PLC0415

    settings = unrationed(_settings("vivant", level=logging.WARNING))
    console = Console(stderr=True, quiet=as_json)
    if not photo.is_file():
        _complain(f"there is no file {photo}")
    if target.suffix.lower() != ".mp4":
        _complain(f"{target.name}: a clip is an mp4, and its file is named so")
    if target.is_dir() or not os.access(target.parent, os.W_OK):
        _complain(f"cannot write {target}: no such folder, or not ours to write to")

    async def ask() -> Exit:
        async with open_services(settings) as services, engine_at_hand(services):
            outcome = await animate(services, console, photo, words, target, wish, yes=yes)
        is_clip = outcome.exit is Exit.CLIP
        stages = outcome.job.stages if outcome.job else {}
        if as_json:
            _tell_script(target if is_clip else None, outcome.said, stages)
        else:
            console.print(outcome.said, highlight=False, markup=False)
        if is_clip:
            told = " · ".join(f"{stage} {spent:.2f} s" for stage, spent in stages.items())
            console.print(f"{target}\n{told}", highlight=False, markup=False, soft_wrap=True)
        return outcome.exit

    return _run(ask())


def _tell_script(clip: Path | None, said: str, seconds: dict[str, float]) -> None:
    line = {"clip": str(clip) if clip else None, "said": said, "seconds": seconds}
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


@app.command()
def bot(
    platform: Annotated[str, typer.Argument(help="telegram or discord")],
    with_parent: WithParent = False,
) -> None:
    """One bot."""
    settings = _settings(platform)

    async def talk() -> None:
        stop = stop_signal()
        if with_parent:
            async with running(stop_with_parent(stop), "parent"):
                await run_bot(settings, platform, stop=stop)
        else:
            await run_bot(settings, platform, stop=stop)

    _run(talk(), misfit=EXIT_SETTINGS)


@engine_app.callback(invoke_without_command=True)
def engine(
    context: typer.Context,
    gpus: Annotated[
        str | None, typer.Option(help="cards, one engine each: all, 0,1, or cpu")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", hidden=True)] = False,
    with_parent: WithParent = False,
) -> None:
    """Render clips until told to stop."""
    if context.invoked_subcommand is not None:
        return
    settings = _settings("engine", level=logging.WARNING if quiet else logging.INFO)
    if gpus is not None:
        settings = settings.model_copy(update={"gpus": gpus})

    async def work() -> None:
        stop = stop_signal()
        if with_parent:
            async with running(stop_with_parent(stop), "parent"):
                await run_engine(settings, stop=stop)
        else:
            await run_engine(settings, stop=stop)

    _run(work(), misfit=EXIT_SETTINGS)


@engine_app.command()
def download(
    name: Annotated[str, typer.Argument(help="puppet, or a preset's name")] = "puppet",
) -> None:
    """Fetch what an engine needs, once; checked by its hashes."""
    from vivant.engine.downloads import download  # noqa: PLC0415  # no OpenCV in a bot

    settings = _settings("vivant")
    accepted = frozenset(settings.accept_licences)
    try:
        download(name, settings.models_dir, Console(stderr=True), accepted)
    except SettingsError as exc:
        _complain(str(exc))


@engine_app.command()
def presets() -> None:
    """What there is, what fits this card, and what the licences oblige to."""
    from vivant.engine.downloads import show_presets  # noqa: PLC0415  # no OpenCV in a bot

    settings = _settings("vivant")
    show_presets(settings.models_dir, frozenset(settings.accept_licences), Console())


@app.command()
def doctor(
    alive: Annotated[
        bool, typer.Option("--alive", help="only whether a process gave a sign of life just now")
    ] = False,
) -> None:
    """What is configured, whether it answers, and how to mend it."""
    from vivant.doctor import examine  # noqa: PLC0415

    settings = _settings("vivant", level=logging.ERROR)
    if alive:
        raise typer.Exit(0 if is_alive(settings.data_dir) else 1)
    findings = _run(examine(settings))
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found", "to mend it"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        table.add_row("✓" if finding.is_well else "✗", finding.what, finding.found, finding.mend)
    Console().print(table)
    raise typer.Exit(0 if all(found.is_well or found.is_optional for found in findings) else 1)


def _settings(process: str, *, level: int = logging.INFO) -> Settings:
    try:
        settings = Settings.load()
    except SettingsError as exc:
        _complain(str(exc))
    tokens = [settings.telegram_token, settings.discord_token, settings.secret]
    start_log(process, secrets=[token.get_secret_value() for token in tokens if token], level=level)
    return settings


def _run(work: Coroutine[Any, Any, T], *, misfit: int = 1) -> T:
    """Exit code *misfit* where it cannot start as it is configured."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Exception as exc:
        known = _known(exc)
        if known is None:
            raise
        _complain(str(known), misfit if isinstance(known, SettingsError) else 1)


def _known(exc: BaseException) -> VivantError | None:
    """What can be said in one line: the error itself, or the first such in a group of tasks'."""
    if isinstance(exc, BaseExceptionGroup):
        return next(filter(None, map(_known, exc.exceptions)), None)
    known = (SettingsError, RedisMissing, RedisDown, LedgerDown, MediaMissing)
    return exc if isinstance(exc, known) else None


class _Complaint(typer.Exit):
    """What was said on standard error before the end."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(code)
        self.said = said


def _complain(sentence: str, code: int = 1) -> NoReturn:
    sys.stderr.write(f"vivant: {sentence}\n")
    raise _Complaint(sentence, code)


if __name__ == "__main__":
    app()
