"""What docker-compose.yml and the Dockerfile promise: nobody calls in, nothing runs as root.

No Docker engine is needed: the files are read as Docker reads them.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from vivant.queue.local_redis import check_url
from vivant.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ["telegram", "discord", "engine", "engine-cpu"]
KNOWN = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
DOCKERFILE = (ROOT / "Dockerfile").read_text()

every_service = pytest.mark.parametrize("name", list(SERVICES))
our_services = pytest.mark.parametrize("name", OURS)


def test_these_services_and_no_others_run() -> None:
    assert sorted(SERVICES) == sorted(["redis", "postgres", *OURS])


@every_service
def test_no_service_publishes_a_port(name: str) -> None:
    assert "ports" not in SERVICES[name]
    assert "network_mode" not in SERVICES[name]


@every_service
def test_no_service_runs_as_root(name: str) -> None:
    user, _, group = str(SERVICES[name]["user"]).partition(":")

    assert int(user) > 0
    assert int(group) > 0


@every_service
def test_no_service_can_gain_rights_or_change_itself(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] > 0
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"} & service.keys()


@every_service
def test_no_service_sees_the_hosts_files(name: str) -> None:
    for volume in SERVICES[name]["volumes"]:
        assert volume.partition(":")[0] in COMPOSE["volumes"]


@every_service
def test_every_service_comes_back_says_how_it_is_and_keeps_its_log_short(name: str) -> None:
    service = SERVICES[name]

    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", ["redis", "postgres"])
def test_the_stores_cannot_be_reached_from_outside(name: str) -> None:
    assert SERVICES[name]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_redis_keeps_what_it_was_told_and_asks_for_a_password() -> None:
    script = SERVICES["redis"]["command"][-1]

    assert "--appendonly yes" in script
    assert "--maxmemory-policy noeviction" in script
    assert 'requirepass "$$REDISCLI_AUTH"' in script
    assert SERVICES["redis"]["environment"]["REDISCLI_AUTH"].startswith("${REDIS_PASSWORD:?")


@our_services
def test_a_service_of_ours_takes_the_redis_that_compose_starts(name: str) -> None:
    url = SERVICES[name]["environment"]["VIVANT_REDIS_URL"]

    check_url(_filled_in(url))
    assert _filled_in(url) == "redis://:abc123@redis:6379/0"


@our_services
def test_a_service_of_ours_waits_for_the_stores(name: str) -> None:
    for store in ("redis", "postgres"):
        assert SERVICES[name]["depends_on"][store] == {"condition": "service_healthy"}


@our_services
def test_a_service_of_ours_is_given_longer_to_stop_than_it_takes_to_drain(name: str) -> None:
    seconds = re.fullmatch(r"(\d+)s", SERVICES[name]["stop_grace_period"])
    assert seconds

    assert int(seconds[1]) >= Settings.model_fields["drain_s"].default + 10


@our_services
def test_every_setting_that_compose_hands_on_exists(name: str) -> None:
    handed_on = {key for key in SERVICES[name]["environment"] if key.startswith(PREFIX)}

    assert handed_on - KNOWN == set()
    assert handed_on >= {"VIVANT_DATABASE_URL", "VIVANT_MEDIA_URL", "VIVANT_SECRET"}


def test_a_token_goes_to_its_own_bot_only() -> None:
    def holders(token: str) -> list[str]:
        return [name for name, service in SERVICES.items() if token in service["environment"]]

    assert holders("VIVANT_TELEGRAM_TOKEN") == ["telegram"]
    assert holders("VIVANT_DISCORD_TOKEN") == ["discord"]


def test_only_the_engine_for_gpus_reserves_one() -> None:
    (device,) = SERVICES["engine"]["deploy"]["resources"]["reservations"]["devices"]

    assert device["capabilities"] == ["gpu"]
    assert [name for name, service in SERVICES.items() if "deploy" in service] == ["engine"]
    assert SERVICES["engine-cpu"]["environment"]["VIVANT_ENGINE"] == "puppet"


def test_each_machine_chooses_what_it_runs() -> None:
    profiles = {name: service.get("profiles") for name, service in SERVICES.items()}

    assert profiles == {
        "redis": None,
        "postgres": None,
        "telegram": ["telegram"],
        "discord": ["discord"],
        "engine": ["gpu"],
        "engine-cpu": ["cpu"],
    }


@our_services
def test_a_service_of_ours_is_built_from_a_target_that_exists(name: str) -> None:
    build = SERVICES[name]["build"]
    arguments = re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE)

    assert build["target"] in _targets()
    assert set(build.get("args", {})) <= set(arguments)


@our_services
def test_the_user_of_a_service_is_the_one_its_image_was_made_for(name: str) -> None:
    target = _targets()[SERVICES[name]["build"]["target"]]

    assert f"USER {SERVICES[name]['user']}\n" in target
    assert f"--uid {str(SERVICES[name]['user']).partition(':')[0]} " in DOCKERFILE


def test_what_the_build_copies_exists_and_is_let_in() -> None:
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]

    assert "pyproject.toml" in copied
    for source in copied:
        assert (ROOT / source).exists()
        assert f"!{source}" in let_in
    assert let_in[1] == "*"


def test_the_example_names_what_must_be_set_and_nothing_unknown() -> None:
    example = (ROOT / ".env.example").read_text()
    names = set(re.findall(r"^#?([A-Z][A-Z_]+)=", example, re.MULTILINE))
    must = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))

    assert must <= names
    assert {name for name in names if name.startswith(PREFIX)} <= KNOWN


def test_the_example_holds_no_secret() -> None:
    example = (ROOT / ".env.example").read_text()

    for name in ("REDIS_PASSWORD", "POSTGRES_PASSWORD", "VIVANT_SECRET", "VIVANT_TELEGRAM_TOKEN"):
        assert f"\n{name}=\n" in example


def _filled_in(value: str) -> str:
    return re.sub(r"\$\{\w+:\?[^}]*\}", "abc123", value)


def _targets() -> dict[str, str]:
    """The stages of the Dockerfile by name, each with its lines."""
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    return {stage.splitlines()[0].split(" AS ")[1]: stage for stage in stages}


def test_every_setting_reaches_the_containers_that_it_concerns() -> None:
    """A line in .env that nobody is handed would be ignored without a word."""
    handed_on = {name for service in SERVICES.values() for name in service.get("environment", {})}
    settings = {PREFIX + name.upper() for name in Settings.model_fields}

    assert settings - handed_on == {"VIVANT_DATA_DIR"}
