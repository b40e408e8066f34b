"""Settings, read once from the environment and `.env` when a process starts.

A wrong value fails here, with the name and what is allowed, and not at the first message.
Tokens and the secret never print themselves.
"""

import os
import re
import secrets
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Self

from dotenv import dotenv_values
from pydantic import (
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from vivant.errors import SettingsError

PREFIX: Final = "VIVANT_"
_FILE: Final = ".env"
#: As alike as a slip of the pen; `difflib` says how much of two names is the same.
_SLIP: Final = 0.88
#: A key of fewer bytes could be guessed, and an empty one is a file that was never written.
_SHORTEST_KEY: Final = 16

#: "a, b, c" in the environment; empty entries are dropped.
Names = Annotated[tuple[str, ...], NoDecode]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^/]", strip_whitespace=True)]


def _home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "vivant"


class Settings(BaseSettings):
    """One field is one `VIVANT_…` name; the README's table is made from them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=_FILE, extra="ignore", frozen=True, env_ignore_empty=True
    )

    telegram_token: SecretStr | None = Field(
        None, description="from BotFather; starts the bot; several bots: comma-separated"
    )
    telegram_api_url: Url = Field(
        "https://api.telegram.org",
        description="a self-hosted Bot API server; calls go to {url}/bot<token>/<method>",
    )
    telegram_webhook_url: Url | None = Field(
        None,
        description="public https address that Telegram posts updates to; default: the bot asks "
        "for them",
    )
    telegram_webhook_listen: str = Field(
        "127.0.0.1:8443",
        description="host:port that the posts arrive at, behind whatever speaks https for it",
        pattern=r"^[^\s:]+:\d{1,5}$",
    )
    telegram_star_packs: Names = Field(
        (), description="clips:stars, comma-separated, such as 10:50; empty: nothing is sold"
    )
    discord_token: SecretStr | None = Field(
        None, description="from the Discord developer portal; starts the bot"
    )
    discord_api_url: Url = Field(
        "https://discord.com/api/v10",
        description="REST base; the gateway is what it answers at /gateway/bot",
    )
    discord_reads_messages: bool = Field(
        False,
        description="the privileged intent 'message content' is switched on in the portal: a reply "
        "that mentions the bot then finds the photo it replies to",
    )
    discord_shards: int | None = Field(
        None, ge=1, description="how many shards the bot has in all; default: as Discord advises"
    )
    discord_shard_ids: Annotated[tuple[int, ...], NoDecode] = Field(
        (), description="the shards of this process, comma-separated; empty: all of them"
    )
    discord_packs: Names = Field(
        (), description="what is for sale in Discord's shop: sku id:clips, comma-separated"
    )
    redis_url: str | None = Field(
        None,
        description="redis://, rediss:// or unix://; without it a private one is started",
        pattern=r"^(redis|rediss|unix)://",
    )
    database_url: str | None = Field(
        None,
        description="sqlite+aiosqlite:///… or postgresql+asyncpg://…; default: a file in the data "
        "directory",
        pattern=r"^(sqlite\+aiosqlite|postgresql\+asyncpg)://",
    )
    media_url: str | None = Field(
        None,
        description="file:///… or s3://bucket/prefix; default: a folder in the data directory",
        pattern=r"^(file|s3)://",
    )
    engine: str = Field(
        "auto", min_length=1, description="auto, puppet, a preset's name, or a directory"
    )
    gpus: str = Field(
        "all", min_length=1, description="cards of a GPU engine: all, 0,1 by nvidia-smi, or cpu"
    )
    accept_licences: Names = Field(
        (), description="presets whose licence you accept, comma-separated; see engine presets"
    )
    data_dir: Path = Field(
        default_factory=_home, description="everything that is kept on this machine"
    )
    secret: SecretStr | None = Field(
        None,
        description="key of the identities in the ledger, 16 bytes or more; the same on every "
        "machine of a fleet; default: made once, in the data directory",
    )
    free_clips_per_day: int = Field(
        10, ge=0, le=1_000_000, description="clips a person has each day, from 00:00 UTC"
    )
    contact: str = Field(
        "", description="how to reach you, for /privacy, /terms and /paysupport: @name, an address"
    )
    keep_hours: float = Field(
        24,
        ge=0,
        le=24 * 365,
        description="how long photo, clip and words stay, so that 'again' works; 0: not at all",
    )
    max_open_jobs: int = Field(3, ge=1, le=1000, description="jobs a person may have waiting")
    max_requests_per_minute: int = Field(5, ge=1, le=1000, description="requests a person may make")
    max_renders_per_day: int = Field(
        50, ge=1, le=1_000_000, description="renders a person may cause a day, refunded ones too"
    )
    allowed_chats: Names = Field(
        (), description="platform:chat id, comma-separated; empty: every chat"
    )
    banned_users: Names = Field((), description="platform:user id, comma-separated")
    admins: Names = Field(
        (),
        description="platform:user id, comma-separated; may use the operator's words in a private "
        "chat",
    )
    blocked_words: Names = Field(
        (), description="words or phrases that are refused; what is sexual always is"
    )
    lease_s: float = Field(30, gt=0, description="a silent worker loses its job after this")
    beat_s: float = Field(10, gt=0, description="how often a worker renews its lease")
    deadline_s: float = Field(3600, gt=0, description="a job that waited longer is refunded")
    upkeep_s: float = Field(5, gt=0, description="how often what crashes left is looked for")
    drain_s: float = Field(25, gt=0, description="time to finish or hand back when stopped")

    @field_validator(
        "accept_licences",
        "allowed_chats",
        "banned_users",
        "admins",
        "blocked_words",
        "discord_shard_ids",
        "telegram_star_packs",
        "discord_packs",
        mode="before",
    )
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("telegram_star_packs")
    @classmethod
    def _clips_and_stars(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pack in value:
            if not re.fullmatch(r"[1-9]\d{0,3}:[1-9]\d{0,3}", pack):
                raise ValueError(f"{pack!r} is not clips:stars, such as 10:50")
        return value

    @field_validator("allowed_chats", "banned_users", "admins")
    @classmethod
    def _platform_and_id(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not re.fullmatch(r"(telegram|discord):-?\d+|terminal:.+", name):
                raise ValueError(f"{name!r} is not platform:id, such as telegram:12345")
        return value

    @field_validator("secret")
    @classmethod
    def _not_guessed(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < _SHORTEST_KEY:
            raise ValueError(f"shorter than {_SHORTEST_KEY} bytes; openssl rand -hex 24 makes one")
        return value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        path = value.expanduser().absolute()
        if "?" in str(path):
            raise ValueError("a path with a question mark cannot be the address of a database")
        return path

    @model_validator(mode="after")
    def _beat_within_lease(self) -> Self:
        if self.beat_s * 2 > self.lease_s:
            raise ValueError("VIVANT_BEAT_S must be at most half of VIVANT_LEASE_S")
        return self

    @field_validator("discord_packs")
    @classmethod
    def _sku_and_clips(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pack in value:
            if not re.fullmatch(r"\d{15,20}:[1-9]\d{0,3}", pack):
                raise ValueError(f"{pack!r} is not sku id:clips, such as 1234567890123456789:10")
        return value

    @model_validator(mode="after")
    def _shards_that_exist(self) -> Self:
        most = self.discord_shards or 0
        if any(not 0 <= shard < most for shard in self.discord_shard_ids):
            raise ValueError("VIVANT_DISCORD_SHARD_IDS must be below VIVANT_DISCORD_SHARDS")
        return self

    @property
    def engine_name(self) -> str:
        """As the engine's profile names it: a directory goes by its last part."""
        return Path(self.engine).name

    @property
    def ledger_url(self) -> str:
        """The database to open."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'ledger.sqlite3'}"

    @property
    def store_url(self) -> str:
        """The media store to open."""
        return self.media_url or f"file://{self.data_dir / 'media'}"

    @property
    def models_dir(self) -> Path:
        """Where models are unpacked, one folder an engine."""
        return self.data_dir / "models"

    def identity_secret(self) -> bytes:
        """The key of the identities in the ledger, made once where none is set.

        Raises `SettingsError` where the one that was made is not whole any more.
        """
        if self.secret is not None:
            return self.secret.get_secret_value().encode()
        path = self.data_dir / "secret"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        mine = self.data_dir / f"secret.{os.getpid()}.{secrets.token_hex(4)}"
        mine.touch(mode=0o600)
        mine.write_bytes(secrets.token_hex(32).encode())
        try:
            # Linked, not renamed: of several processes that start at once, the first one wins.
            path.hardlink_to(mine)
        except FileExistsError:
            pass
        finally:
            mine.unlink()
        key = path.read_bytes()
        if len(key) < _SHORTEST_KEY:
            raise SettingsError(
                f"{path}: shorter than {_SHORTEST_KEY} bytes. Put back what it held; without it, "
                "delete it, and known senders count as new ones."
            )
        return key

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the environment and `.env`; raises `SettingsError` that names the setting."""
        _no_slips(dotenv_values(_FILE).keys() | os.environ.keys())
        try:
            return cls(**overrides)
        except ValidationError as exc:
            raise SettingsError("\n".join(_complaints(exc))) from None


def _no_slips(names: Collection[str]) -> None:
    """A name that is nearly one of ours was meant to be; another's `VIVANT_…` may be anything."""
    known = [name for name, _, _ in table()]
    for name in map(str.upper, names):
        if name.startswith(PREFIX) and name not in known:
            for meant in get_close_matches(name, known, n=1, cutoff=_SLIP):
                raise SettingsError(f"{name} is no setting; is {meant} meant?")


def _complaints(error: ValidationError) -> list[str]:
    said = []
    for problem in error.errors(include_input=False, include_url=False):
        where = ".".join(str(part) for part in problem["loc"])
        field = Settings.model_fields.get(where)
        about = f" ({field.description})" if field else ""
        name = f"{PREFIX}{where.upper()}: " if where else ""
        said.append(f"{name}{problem['msg']}{about}")
    return said


def table() -> list[tuple[str, str, str]]:
    """Every setting as (name, default, meaning), for the README and the doctor."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "in your home" if field.default_factory else field.default
        shown = "" if default in (None, ()) else str(default)
        rows.append((PREFIX + name.upper(), shown, field.description or ""))
    return rows
