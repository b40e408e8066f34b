"""Who is let in: asked by intake before any work, and again in the step that accepts a job."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vivant.clips import RefusalReason
from vivant.errors import Refused
from vivant.ledger.schema import bans, flags

#: The flag that takes nothing new.
DRAINING = "draining"


async def admit(conn: AsyncConnection, owner: str) -> None:
    """Raises `Refused`: NOT_ALLOWED for who is banned, DRAINING while nothing new is taken."""
    asked = select(
        exists().where(bans.c.owner == owner).label("banned"),
        exists().where(flags.c.name == DRAINING).label("draining"),
    )
    door = (await conn.execute(asked)).one()
    if door.banned:
        raise Refused(RefusalReason.NOT_ALLOWED)
    if door.draining:
        raise Refused(RefusalReason.DRAINING)
