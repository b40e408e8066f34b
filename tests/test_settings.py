"""A wrong setting fails at start, with its name and what is allowed, and shows no secret."""

from pathlib import Path

import pytest

from vivant.errors import SettingsError
from vivant.settings import Settings

TOKEN = "123456:AAE-a-token-of-nobody"  # noqa: S105


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("VIVANT_FREE_CLIPS_PER_DAY", "many", "integer"),
        ("VIVANT_KEEP_HOURS", "-1", "greater than or equal to 0"),
        ("VIVANT_REDIS_URL", "localhost:6379", "redis"),
        ("VIVANT_DATABASE_URL", "mysql://here", "postgresql"),
        ("VIVANT_MEDIA_URL", "/var/media", "s3"),
        ("VIVANT_TELEGRAM_API_URL", "api.telegram.org", "https?"),
        ("VIVANT_TELEGRAM_STAR_PACKS", "10", "clips:stars, such as 10:50"),
        ("VIVANT_DISCORD_PACKS", "gold:10", "sku id:clips"),
        ("VIVANT_DISCORD_SHARD_IDS", "4", "below VIVANT_DISCORD_SHARDS"),
        ("VIVANT_ADMINS", "1002", "platform:id, such as telegram:12345"),
        ("VIVANT_ALLOWED_CHATS", "foo:1", "platform:id"),
        ("VIVANT_BEAT_S", "29", "at most half of VIVANT_LEASE_S"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as complaint:
        Settings.load()

    assert name in str(complaint.value)
    assert said in str(complaint.value)


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("VIVANT_TELEGRAM_TOKN", "VIVANT_TELEGRAM_TOKEN"),
        ("VIVANT_TELEGRAM_BOT_TOKEN", "VIVANT_TELEGRAM_TOKEN"),
        ("VIVANT_ADMIN", "VIVANT_ADMINS"),
    ],
)
def test_a_slip_in_a_name_is_not_ignored(
    slip: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token would be taken for not set."""
    monkeypatch.setenv(slip, TOKEN)

    with pytest.raises(SettingsError, match=f"{slip} is no setting; is {meant} meant") as complaint:
        Settings.load()

    assert TOKEN not in str(complaint.value)


def test_a_slip_in_the_file_is_not_ignored_either() -> None:
    Path(".env").write_text("VIVANT_ENGINES=puppet\n")

    with pytest.raises(SettingsError, match="is VIVANT_ENGINE meant"):
        Settings.load()


def test_what_others_call_vivant_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An orchestrator sets such names for a service that is called vivant."""
    for name in ("VIVANT_SERVICE_HOST", "VIVANT_REDIS_PORT", "VIVANT_ENGINE_PORT_80_TCP"):
        monkeypatch.setenv(name, "tcp://10.0.0.1:80")

    assert Settings.load().engine == "auto"


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("VIVANT_ENGINE=fast\nVIVANT_KEEP_HOURS=2\nREDIS_PASSWORD=x\n")
    monkeypatch.setenv("VIVANT_ENGINE", "puppet")

    settings = Settings.load()

    assert (settings.engine, settings.keep_hours) == ("puppet", 2)


def test_an_empty_value_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of `.env.example` that was left as it is."""
    monkeypatch.setenv("VIVANT_TELEGRAM_TOKEN", "")
    monkeypatch.setenv("VIVANT_FREE_CLIPS_PER_DAY", "")

    settings = Settings.load()

    assert settings.telegram_token is None
    assert settings.free_clips_per_day == 10


def test_a_list_stands_between_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVANT_ALLOWED_CHATS", "telegram:-100, discord:7,,")
    monkeypatch.setenv("VIVANT_DISCORD_SHARDS", "4")
    monkeypatch.setenv("VIVANT_DISCORD_SHARD_IDS", "0,3")

    settings = Settings.load()

    assert settings.allowed_chats == ("telegram:-100", "discord:7")
    assert settings.discord_shard_ids == (0, 3)


def test_no_secret_shows_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VIVANT_TELEGRAM_TOKEN", "VIVANT_DISCORD_TOKEN", "VIVANT_SECRET"):
        monkeypatch.setenv(name, TOKEN)

    assert TOKEN not in repr(Settings.load())


def test_a_key_that_could_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVANT_SECRET", "fifteen letters")

    with pytest.raises(SettingsError, match=r"^VIVANT_SECRET: .*shorter than 16 bytes") as refused:
        Settings.load()
    assert "fifteen" not in str(refused.value)

    monkeypatch.setenv("VIVANT_SECRET", "sixteen letters.")
    assert Settings.load().identity_secret() == b"sixteen letters."


@pytest.mark.parametrize("left", [b"", b"half of a key"])
def test_a_key_whose_file_was_cut_off_is_not_used(tmp_path: Path, left: bytes) -> None:
    """An empty one would be everybody's; a new one would make strangers of all senders."""
    (tmp_path / "secret").write_bytes(left)

    with pytest.raises(SettingsError, match="secret: shorter than 16 bytes"):
        Settings.load(data_dir=tmp_path).identity_secret()

    assert (tmp_path / "secret").read_bytes() == left


def test_the_key_of_the_identities_is_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path / "data")

    first = settings.identity_secret()

    assert len(first) == 64
    assert settings.identity_secret() == first
    assert [path.name for path in settings.data_dir.iterdir()] == ["secret"]
    assert (settings.data_dir / "secret").stat().st_mode & 0o077 == 0
