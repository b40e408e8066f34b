"""The tables of the ledger, in a form that SQLite (STRICT) and Postgres share.

Times are whole milliseconds of the database's clock; composite values are JSON in TEXT.
"""

from typing import Any, Final

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# STRICT knows TEXT, INTEGER, REAL and BLOB only; an INTEGER of SQLite has 64 bits.
_Big = BigInteger().with_variant(Integer, "sqlite")
_Real: Double[float] = Double().with_variant(REAL(), "sqlite")


class clock(FunctionElement[int]):  # noqa: N801  # reads like SQL's own functions
    """The database's clock, in milliseconds since 1970; the one clock all processes share."""

    type = BigInteger()
    inherit_cache = True


@compiles(clock, "sqlite")
def _sqlite_clock(element: clock, compiler: SQLCompiler, **kw: Any) -> str:
    del element, compiler, kw
    # unixepoch('subsec') needs SQLite 3.42; Debian 12 has 3.40.
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@compiles(clock, "postgresql")
def _postgres_clock(element: clock, compiler: SQLCompiler, **kw: Any) -> str:
    del element, compiler, kw
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"


jobs: Final = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    #: Keyed hash of the asking event; survives the purge, so no event runs twice.
    Column("key", Text, nullable=False, unique=True),
    Column("platform", Text, nullable=False),
    Column("bot", Text, nullable=False),
    #: None once it is purged, or as soon as the sender asked to be forgotten.
    Column("owner", Text),
    Column("chat", Text),
    Column("language", Text, nullable=False),
    Column("state", Text, nullable=False),
    #: Only rises; whoever holds an older one has lost the job.
    Column("attempt", Integer, nullable=False, default=0),
    Column("failures", Integer, nullable=False, default=0),
    Column("lease_until", _Big),
    Column("worker", Text),
    # What was asked for.
    Column("reply_to", Text),
    Column("plan", Text),
    Column("photo", Text),
    Column("photo_width", Integer, nullable=False),
    Column("photo_height", Integer, nullable=False),
    Column("sight", Text),
    Column("wish", Text, nullable=False),
    Column("settings", Text, nullable=False),
    #: The engine the settings were snapped to; "any" lets the worker snap them.
    Column("engine", Text, nullable=False),
    Column("limit_bytes", _Big, nullable=False),
    Column("notes", Text, nullable=False, default="[]"),
    Column("work", Text, nullable=False),
    Column("source_clip", Text),
    Column("last_photo", Text),
    # How it ended: exactly one of the two from READY on.
    Column("clip", Text),
    Column("failure", Text),
    # What stands in the chat.
    Column("status_message", Text),
    #: Short lines sent ("Here it comes"), and the last of them.
    Column("lines", Integer, nullable=False, default=0),
    Column("line_message", Text),
    Column("not_before", _Big, nullable=False, default=0),
    Column("delivery_tries", Integer, nullable=False, default=0),
    # Fair order.
    Column("virtual_start", _Real, nullable=False),
    Column("virtual_finish", _Real, nullable=False),
    # When.
    Column("created_at", _Big, nullable=False),
    Column("claimed_at", _Big),
    Column("ready_at", _Big),
    Column("ended_at", _Big),
    Column("purged_at", _Big),
    Column("render_ms", _Big),
    Column("stages", Text),
    CheckConstraint(
        "state IN ('queued', 'rendering', 'ready', 'sending', 'done', 'undeliverable')",
        name="state",
    ),
    CheckConstraint("clip IS NULL OR failure IS NULL", name="one_outcome"),
    # The engine is in it so that a claim passes over the jobs of other engines within the index.
    Index(None, "state", "virtual_start", "created_at", "id", "engine"),
    Index(None, "platform", "bot", "state", "ready_at", "id"),
    Index(None, "owner", "state"),
    Index(None, "engine", "ready_at"),
    Index(None, "purged_at", "ended_at"),
    sqlite_strict=True,
)

accounts: Final = Table(
    "accounts",
    metadata,
    Column("owner", Text, primary_key=True),
    #: The day (UTC, days since 1970) that `free` belongs to.
    Column("day", Integer, nullable=False),
    Column("free", Integer, nullable=False),
    #: Bought or granted; these do not lapse.
    Column("balance", Integer, nullable=False, default=0),
    Column("reserved", Integer, nullable=False, default=0),
    Column("virtual_finish", _Real, nullable=False, default=0.0),
    CheckConstraint("free >= 0", name="free"),
    CheckConstraint("balance >= 0", name="balance"),
    CheckConstraint("reserved >= 0", name="reserved"),
    sqlite_strict=True,
)

entries: Final = Table(
    "entries",
    metadata,
    Column("id", _Big, primary_key=True, autoincrement=True),
    Column("owner", Text, ForeignKey("accounts.owner"), nullable=False),
    #: "job:…", "day:…", "payment:…" or "grant:…": what moved the credit.
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    #: Which purse: "free" lapses at midnight UTC, "paid" does not.
    Column("purse", Text, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("at", _Big, nullable=False),
    UniqueConstraint("source", "kind"),
    CheckConstraint(
        "kind IN ('reserve', 'settle', 'refund', 'repay', 'renew', 'grant', 'payment')",
        name="kind",
    ),
    CheckConstraint("purse IN ('free', 'paid')", name="purse"),
    #: A job closes once: settled or refunded, never both.
    Index(
        "uq_entries_closing",
        "source",
        unique=True,
        sqlite_where=text("kind IN ('settle', 'refund')"),
        postgresql_where=text("kind IN ('settle', 'refund')"),
    ),
    Index(None, "owner", "at"),
    sqlite_strict=True,
)

inbox: Final = Table(
    "inbox",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("bot", Text, primary_key=True),
    #: The platform's own number of the update.
    Column("event", Text, primary_key=True),
    #: The raw update; gone once it is done.
    Column("payload", Text),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("lease_until", _Big, nullable=False, default=0),
    Column("arrived_at", _Big, nullable=False),
    #: Who sent it, where that is known, and the album it is part of; gone once it is done.
    Column("sender", Text),
    Column("album", Text),
    CheckConstraint("state IN ('new', 'done', 'given_up')", name="state"),
    Index(None, "platform", "bot", "state", "arrived_at"),
    sqlite_strict=True,
)

#: A photo that was looked at and waits for a word of its sender: which action, or consent.
drafts: Final = Table(
    "drafts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("order", Text, nullable=False),
    Column("chat", Text, nullable=False),
    #: Our message that asks; a reply to it is the answer.
    Column("message", Text),
    Column("created_at", _Big, nullable=False),
    Index(None, "owner", "chat"),
    Index(None, "created_at"),
    sqlite_strict=True,
)

#: Words that came before their photo: kept until it comes, or for two minutes.
early_words: Final = Table(
    "early_words",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("bot", Text, primary_key=True),
    Column("chat", Text, primary_key=True),
    #: "" outside of topics.
    Column("thread", Text, primary_key=True),
    Column("words", Text, nullable=False),
    #: Key of the asking event that took them.
    Column("taken_by", Text),
    Column("at", _Big, nullable=False),
    Index(None, "at"),
    sqlite_strict=True,
)

workers: Final = Table(
    "workers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("engine", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("seen_at", _Big, nullable=False),
    sqlite_strict=True,
)

#: One holder at a time: upkeep, one poller a token.
leases: Final = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", _Big, nullable=False),
    sqlite_strict=True,
)

#: Requests of the last minute, for the limit on them.
requests: Final = Table(
    "requests",
    metadata,
    Column("id", _Big, primary_key=True, autoincrement=True),
    Column("owner", Text, nullable=False),
    Column("at", _Big, nullable=False),
    Index(None, "owner", "at"),
    sqlite_strict=True,
)

#: The fair queue's virtual time: the start of the job claimed last.
virtual_time: Final = Table(
    "virtual_time",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("value", _Real, nullable=False),
    sqlite_strict=True,
)

#: Who may not ask.
bans: Final = Table(
    "bans",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("at", _Big, nullable=False),
    sqlite_strict=True,
)

#: What the operator switched; a flag that is not here is off.
flags: Final = Table(
    "flags",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", _Big, nullable=False),
    sqlite_strict=True,
)

#: What the operator did, and what was refused by policy. Never purged.
audit: Final = Table(
    "audit",
    metadata,
    Column("id", _Big, primary_key=True, autoincrement=True),
    Column("at", _Big, nullable=False),
    #: "platform:user id" of an admin, or the account on the operator's machine.
    Column("by", Text, nullable=False),
    Column("words", Text, nullable=False),
    #: None: the process died before it could say.
    Column("outcome", Text),
    sqlite_strict=True,
)

#: A clip that somebody found bad; once a person.
reports: Final = Table(
    "reports",
    metadata,
    Column("id", _Big, primary_key=True, autoincrement=True),
    Column("job_id", Text, ForeignKey("jobs.id"), nullable=False),
    #: None once that person asked to be forgotten.
    Column("by", Text),
    Column("reason", Text, nullable=False),
    Column("at", _Big, nullable=False),
    UniqueConstraint("job_id", "by"),
    Index(None, "by"),
    sqlite_strict=True,
)

#: What a chat chose for itself; the platform's folder knows what is in it.
houses: Final = Table(
    "houses",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("chat", Text, primary_key=True),
    Column("settings", Text, nullable=False),
    sqlite_strict=True,
)
