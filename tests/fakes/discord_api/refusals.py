"""How Discord says no: status, code and words as its documentation lists them."""

from enum import Enum
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str | int, ...]


class Why(Enum):
    """One reason to refuse: HTTP status, JSON code, message."""

    UNAUTHORIZED = (401, 0, "401: Unauthorized")
    NOT_FOUND = (404, 0, "404: Not Found")
    METHOD_NOT_ALLOWED = (405, 0, "405: Method Not Allowed")
    UNKNOWN_CHANNEL = (404, 10003, "Unknown Channel")
    UNKNOWN_GUILD = (404, 10004, "Unknown Guild")
    UNKNOWN_MEMBER = (404, 10007, "Unknown Member")
    UNKNOWN_MESSAGE = (404, 10008, "Unknown Message")
    UNKNOWN_USER = (404, 10013, "Unknown User")
    UNKNOWN_EMOJI = (400, 10014, "Unknown Emoji")
    UNKNOWN_WEBHOOK = (404, 10015, "Unknown Webhook")
    UNKNOWN_SKU = (404, 10027, "Unknown SKU")
    UNKNOWN_ENTITLEMENT = (404, 10029, "Unknown Entitlement")
    UNKNOWN_INTERACTION = (404, 10062, "Unknown interaction")
    UNKNOWN_COMMAND = (404, 10063, "Unknown application command")
    NOT_YOUR_APPLICATION = (
        403,
        20012,
        "You are not authorized to perform this action on this application",
    )
    TOO_MANY_REACTIONS = (400, 30010, "Maximum number of reactions reached (20)")
    ENTITY_TOO_LARGE = (413, 40005, "Request entity too large")
    ALREADY_ACKNOWLEDGED = (400, 40060, "Interaction has already been acknowledged.")
    TOO_MANY_FOLLOWUPS = (
        400,
        40094,
        "This interaction has hit the maximum number of follow up messages",
    )
    MISSING_ACCESS = (403, 50001, "Missing Access")
    NOT_IN_A_DM = (403, 50003, "Cannot execute action on a DM channel")
    NOT_YOUR_MESSAGE = (403, 50005, "Cannot edit a message authored by another user")
    EMPTY_MESSAGE = (400, 50006, "Cannot send an empty message")
    CANNOT_MESSAGE_USER = (403, 50007, "Cannot send messages to this user")
    NOT_A_TEXT_CHANNEL = (400, 50008, "Cannot send messages in a non-text channel")
    MISSING_PERMISSIONS = (403, 50013, "Missing Permissions")
    WRONG_CHANNEL_TYPE = (400, 50024, "Cannot execute action on this channel type")
    INVALID_WEBHOOK_TOKEN = (401, 50027, "Invalid Webhook Token")
    INVALID_FORM = (400, 50035, "Invalid Form Body")
    ARCHIVED_THREAD = (400, 50083, "Thread is archived")
    INVALID_JSON = (400, 50109, "The request body contains invalid JSON.")
    CANNOT_REPLY_WITHOUT_HISTORY = (
        403,
        160002,
        "Cannot reply without permission to read message history",
    )
    THREAD_ALREADY_THERE = (400, 160004, "A thread has already been created for this message")
    BLOCKED_BY_AUTOMOD = (400, 200000, "Message was blocked by automatic moderation")
    TITLE_BLOCKED = (400, 200001, "Title was blocked by automatic moderation")


class Refused(Exception):
    """The call is answered with a refusal and changes nothing."""

    def __init__(self, why: Why, errors: Json | None = None) -> None:
        self.status, self.code, self.message = why.value
        super().__init__(f"{self.status} {self.message} (code {self.code}) {errors or ''}")
        self.why = why
        self.errors = errors

    def body(self) -> Json:
        """The JSON that the client reads."""
        body: Json = {"message": self.message, "code": self.code}
        return body if self.errors is None else {**body, "errors": self.errors}


class Problems:
    """What is wrong with one form, gathered by field, as `errors` of "Invalid Form Body"."""

    def __init__(self) -> None:
        self.errors: Json = {}

    def add(self, at: Path, code: str, message: str) -> None:
        """Remember that the field *at* is wrong."""
        node = self.errors
        for step in at:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def refuse(self) -> None:
        """Raise `Refused` if anything was wrong."""
        if self.errors:
            raise Refused(Why.INVALID_FORM, self.errors)


def wrong(at: Path, code: str, message: str) -> Refused:
    """A refusal for one field."""
    problems = Problems()
    problems.add(at, code, message)
    return Refused(Why.INVALID_FORM, problems.errors)
