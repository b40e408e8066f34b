"""Calls about the app itself: its commands, what it sells, where its gateway is."""

from collections.abc import Iterator

from tests.fakes.discord_api import forms
from tests.fakes.discord_api.calls import Answer, Call, Route, route
from tests.fakes.discord_api.gateway import Gateway
from tests.fakes.discord_api.payloads import Payloads
from tests.fakes.discord_api.refusals import Json, Path, Problems, Refused, Why, wrong
from tests.fakes.discord_api.shapes import Many
from tests.fakes.discord_api.world import Entitlement, World

#: How many commands of each type an app may have, for each server and globally.
COMMAND_LIMITS = {1: 100, 2: 15, 3: 15}


class ApplicationCalls:
    """Answers them."""

    def __init__(self, world: World, payloads: Payloads, gateway: Gateway) -> None:
        self._world = world
        self._payloads = payloads
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """The table."""
        app = "/applications/{application}"
        bulk = Many(forms.COMMAND, sum(COMMAND_LIMITS.values()))
        table = [
            route("GET", "/gateway", self.gateway_address, for_bots=False),
            route("GET", "/gateway/bot", self.gateway_for_bots),
            route("GET", "/oauth2/applications/@me", self.about),
            route("GET", "/applications/@me", self.about),
            route("GET", app + "/skus", self.list_skus),
            route(
                "GET",
                app + "/entitlements",
                self.list_entitlements,
                query="user_id sku_ids before after limit guild_id exclude_ended exclude_deleted",
            ),
            route("POST", app + "/entitlements", self.grant, forms.NEW_ENTITLEMENT),
            route("GET", app + "/entitlements/{entitlement}", self.get_entitlement),
            route("DELETE", app + "/entitlements/{entitlement}", self.revoke),
            route("POST", app + "/entitlements/{entitlement}/consume", self.consume),
        ]
        for commands in (app + "/commands", app + "/guilds/{guild}/commands"):
            one = commands + "/{command}"
            table += [
                route("GET", commands, self.list_commands, query="with_localizations"),
                route("PUT", commands, self.replace_commands, bulk),
                route("POST", commands, self.add_command, forms.COMMAND),
                route("GET", one, self.get_command),
                route("DELETE", one, self.delete_command),
            ]
        return table

    # The app. ------------------------------------------------------------------------------

    def gateway_address(self, call: Call) -> Answer:
        """Get Gateway."""
        del call
        return 200, {"url": self._gateway.url}

    def gateway_for_bots(self, call: Call) -> Answer:
        """Get Gateway Bot."""
        del call
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        shards = self._gateway.recommended_shards
        return 200, {"url": self._gateway.url, "shards": shards, "session_start_limit": limit}

    def about(self, call: Call) -> Answer:
        """Get Current Application."""
        del call
        return 200, {
            "id": str(self._world.application_id),
            "name": self._world.bot.name,
            "icon": None,
            "description": "",
            "summary": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": self._gateway.application_flags,
            "team": None,
            "owner": self._payloads.user(next(iter(self._world.users.values()))),
            "integration_types_config": {"0": {}, "1": {}},
        }

    # Commands. -----------------------------------------------------------------------------

    def list_commands(self, call: Call) -> Answer:
        """Get Commands."""
        return 200, self._commands(call)

    def replace_commands(self, call: Call) -> Answer:
        """Bulk Overwrite Commands."""
        before = self._commands(call)
        check_commands(call.form)
        before[:] = [self._registered(call, command, before) for command in call.form]
        return 200, before

    def add_command(self, call: Call) -> Answer:
        """Create Command, which replaces one of the same name and type."""
        before = self._commands(call)
        new = self._registered(call, call.form, before)
        others = [command for command in before if command["id"] != new["id"]]
        check_commands([*others, call.form])
        before[:] = [*others, new]
        return (200 if len(others) < len(before) - 1 else 201), new

    def get_command(self, call: Call) -> Answer:
        """Get Command."""
        return 200, self._command(call)

    def delete_command(self, call: Call) -> Answer:
        """Delete Command."""
        self._commands(call).remove(self._command(call))
        return 204, None

    def _commands(self, call: Call) -> list[Json]:
        self._check_application(call)
        guild = None
        if "guild" in call.names:
            guild = call.number("guild", Why.UNKNOWN_GUILD)
            known = self._world.guilds.get(guild)
            if known is None or not self._world.has_bot(known):
                raise Refused(Why.MISSING_ACCESS)
        return self._world.commands.setdefault(guild, [])

    def _command(self, call: Call) -> Json:
        for command in self._commands(call):
            if command["id"] == call.names["command"]:
                return command
        raise Refused(Why.UNKNOWN_COMMAND)

    def _registered(self, call: Call, command: Json, before: list[Json]) -> Json:
        """As the API keeps it: a command of the same name and type keeps its id."""
        kind = command.get("type", 1)
        same = [c for c in before if (c["name"], c["type"]) == (command["name"], kind)]
        wanted = command.get("default_member_permissions")
        new_id = str(self._world.new_id())
        registered = {
            "description": "",
            "name_localizations": None,
            "description_localizations": None,
            "contexts": None,
            "nsfw": False,
            "dm_permission": True,
            **command,
            "id": same[0]["id"] if same else new_id,
            "application_id": str(self._world.application_id),
            "type": kind,
            "version": new_id,
            "default_member_permissions": None if wanted is None else str(wanted),
            "integration_types": command.get("integration_types") or [0],
        }
        return (
            {**registered, "guild_id": call.names["guild"]} if "guild" in call.names else registered
        )

    # Purchases. ----------------------------------------------------------------------------

    def list_skus(self, call: Call) -> Answer:
        """List SKUs."""
        self._check_application(call)
        return 200, [self._payloads.sku(sku) for sku in self._world.skus.values()]

    def list_entitlements(self, call: Call) -> Answer:
        """List Entitlements."""
        self._check_application(call)
        found = sorted(self._world.entitlements.values(), key=lambda one: one.id)
        asked, now = call.query, self._world.clock.now()
        if "user_id" in asked:
            found = [e for e in found if e.user is not None and str(e.user.id) == asked["user_id"]]
        if "guild_id" in asked:
            found = [e for e in found if e.guild and str(e.guild.id) == asked["guild_id"]]
        if "sku_ids" in asked:
            found = [e for e in found if str(e.sku.id) in asked["sku_ids"].split(",")]
        if asked.get("exclude_ended") in ("1", "true"):
            found = [e for e in found if e.ends_at is None or e.ends_at > now]
        if asked.get("exclude_deleted", "true") in ("1", "true"):
            found = [e for e in found if not e.deleted]
        if "after" in asked:
            found = [e for e in found if e.id > call.asked("after", 0)]
        limit = call.asked("limit", 100)
        if "before" in asked:
            found = [e for e in found if e.id < call.asked("before", 0)][-limit:]
        return 200, [self._payloads.entitlement(one) for one in found[:limit]]

    def get_entitlement(self, call: Call) -> Answer:
        """Get Entitlement."""
        return 200, self._payloads.entitlement(self._entitlement(call))

    def grant(self, call: Call) -> Answer:
        """Create Test Entitlement."""
        self._check_application(call)
        sku = self._world.skus.get(int(call.form["sku_id"]))
        if sku is None:
            raise Refused(Why.UNKNOWN_SKU)
        owner = int(call.form["owner_id"])
        entitlement = Entitlement(
            id=self._world.new_id(),
            sku=sku,
            user=self._world.users.get(owner),
            guild=self._world.guilds.get(owner),
            type=4,
        )
        self._world.entitlements[entitlement.id] = entitlement
        payload = self._payloads.entitlement(entitlement)
        self._gateway.dispatch("ENTITLEMENT_CREATE", payload)
        return 200, payload

    def consume(self, call: Call) -> Answer:
        """Consume an Entitlement; a second time is no error."""
        entitlement = self._entitlement(call)
        entitlement.consumed = True
        self._gateway.dispatch("ENTITLEMENT_UPDATE", self._payloads.entitlement(entitlement))
        return 204, None

    def revoke(self, call: Call) -> Answer:
        """Delete Test Entitlement."""
        entitlement = self._entitlement(call)
        del self._world.entitlements[entitlement.id]
        self._gateway.dispatch("ENTITLEMENT_DELETE", self._payloads.entitlement(entitlement))
        return 204, None

    def _entitlement(self, call: Call) -> Entitlement:
        self._check_application(call)
        ident = call.number("entitlement", Why.UNKNOWN_ENTITLEMENT)
        if ident not in self._world.entitlements:
            raise Refused(Why.UNKNOWN_ENTITLEMENT)
        return self._world.entitlements[ident]

    def _check_application(self, call: Call) -> None:
        if call.names["application"] != str(self._world.application_id):
            raise Refused(Why.NOT_YOUR_APPLICATION)


def check_commands(commands: list[Json]) -> None:
    """What the tables of fields cannot say about commands."""
    problems = Problems()
    keys = [(command["name"], command.get("type", 1)) for command in commands]
    if len(keys) != len(set(keys)):
        words = "Application command names must be unique"
        raise wrong((), "APPLICATION_COMMANDS_DUPLICATE_NAME", words)
    for kind, limit in COMMAND_LIMITS.items():
        if sum(key[1] == kind for key in keys) > limit:
            words = f"Maximum number of application commands reached ({limit})"
            raise wrong((), "APPLICATION_COMMAND_TOO_MANY", words)
    for index, command in enumerate(commands):
        if command.get("type", 1) == 1:
            check_slash_command(command, problems, (index,))
    problems.refuse()


def check_slash_command(command: Json, problems: Problems, at: Path) -> None:
    """Lower case, unique names, the required options first, at most 8,000 characters."""
    if sum(len(text) for text in command_texts(command)) > 8000:
        words = "Command exceeds maximum size (8000)"
        problems.add(at, "APPLICATION_COMMAND_TOO_LARGE", words)
    for where, part in [(at, command), *options_within(command, at)]:
        names = {"name": part["name"], **(part.get("name_localizations") or {})}
        for language, name in names.items():
            if name != name.lower():
                place = ("name",) if language == "name" else ("name_localizations", language)
                words = "Command name is invalid"
                problems.add((*where, *place), "APPLICATION_COMMAND_INVALID_NAME", words)
        options = part.get("options", [])
        if len({option["name"] for option in options}) != len(options):
            words = "Option names must be unique"
            problems.add((*where, "options"), "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", words)
        must = [option.get("required", False) for option in options]
        if must != sorted(must, reverse=True):
            words = "Required options must be placed before non-required options"
            code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            problems.add((*where, "options"), code, words)
        kinds = {option["type"] in (1, 2) for option in options}
        if len(kinds) > 1:
            words = "Sub-command and sub-command group option types are mutually exclusive"
            code = "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"
            problems.add((*where, "options"), code, words)
        if part.get("autocomplete") and part.get("choices"):
            words = "Autocomplete may not be set to true if choices are present"
            code = "APPLICATION_COMMAND_OPTIONS_CHOICES_AND_AUTOCOMPLETE"
            problems.add((*where, "autocomplete"), code, words)


def options_within(part: Json, at: Path) -> Iterator[tuple[Path, Json]]:
    """All options, those of subcommands too, with where they are."""
    for index, option in enumerate(part.get("options", [])):
        where = (*at, "options", index)
        yield where, option
        yield from options_within(option, where)


def command_texts(part: Json) -> Iterator[str]:
    """The name, description and value of everything in a command."""
    for name in ("name", "description", "value"):
        yield str(part.get(name, ""))
    for child in [*part.get("options", []), *part.get("choices", [])]:
        yield from command_texts(child)
