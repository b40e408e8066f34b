"""How Telegram says no: an HTTP status, a sentence in its own words, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
SECOND_POLLER = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)
WEBHOOK_ACTIVE = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
    "webhook first"
)


@dataclass
class Refusal(Exception):
    """One call that Telegram does not carry out."""

    status: int
    description: str
    #: `retry_after` or `migrate_to_chat_id`.
    parameters: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.description

    def as_json(self) -> dict[str, object]:
        """The body of the reply."""
        body: dict[str, object] = {
            "ok": False,
            "error_code": self.status,
            "description": self.description,
        }
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(what: str, **parameters: int) -> Refusal:
    """400: the call is wrong as it stands."""
    return Refusal(400, f"Bad Request: {what}", parameters)


def forbidden(what: str) -> Refusal:
    """403: this chat will not take it."""
    return Refusal(403, f"Forbidden: {what}")


def conflict(what: str) -> Refusal:
    """409: another way of receiving updates is in use."""
    return Refusal(409, f"Conflict: {what}")


def too_many_requests(retry_after: int) -> Refusal:
    """429: wait that many seconds."""
    return Refusal(
        429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after}
    )


def too_large() -> Refusal:
    """413: the upload is over the server's limit."""
    return Refusal(413, "Request Entity Too Large")


def unauthorized() -> Refusal:
    """401: no bot has this token."""
    return Refusal(401, "Unauthorized")


def not_found() -> Refusal:
    """404: no such method."""
    return Refusal(404, "Not Found")
