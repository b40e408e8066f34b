"""What a chat chose for itself: its settings as JSON, which only its platform's folder reads."""

from dataclasses import dataclass

from sqlalchemy import select

from vivant.ledger.database import Database, insert
from vivant.ledger.schema import houses


@dataclass(frozen=True, slots=True)
class Houses:
    """The chats of one ledger."""

    db: Database

    async def get(self, platform: str, chat: str) -> str | None:
        """The settings as they were put; None where the chat chose nothing."""
        found = select(houses.c.settings).where(
            houses.c.platform == platform, houses.c.chat == chat
        )
        async with self.db.reading() as conn:
            settings: str | None = (await conn.execute(found)).scalar_one_or_none()
            return settings

    async def put(self, platform: str, chat: str, settings: str) -> None:
        """Keep *settings* in place of what was there."""
        async with self.db.writing() as conn:
            row = insert(conn, houses).values(platform=platform, chat=chat, settings=settings)
            await conn.execute(
                row.on_conflict_do_update(
                    index_elements=["platform", "chat"], set_={"settings": settings}
                )
            )
