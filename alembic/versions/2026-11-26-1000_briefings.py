"""minutes of the daily meeting"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.fence import fence_sql

revision = "202611261000"
down_revision = "202611260930"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "briefing_minutes",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("order_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_briefing_minutes")),
    )
    op.create_index(
        "ix_briefing_minutes_day", "briefing_minutes", ["township_code", "day", "recorded_at"], unique=False
    )
    for statement in fence_sql("briefing_minutes"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("briefing_minutes")
