"""Bringing the schema up to date at start, by Alembic; several processes may start at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection

from vivant.ledger.database import Database


async def migrate(db: Database) -> None:
    """Run what is missing, in one transaction that only one process is in."""
    async with db.writing() as conn:
        # SQLite's writing transaction is exclusive already.
        if conn.dialect.name == "postgresql":
            await conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('vivant.migrate'))"))
        await conn.run_sync(_upgrade)


def configuration(connection: Connection) -> Config:
    """Alembic's settings for this package's migrations."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(configuration(connection), "head")
