"""publicity, closures, village sales and pairings"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.crossings import crossing_sql
from app.models.feeding import APPEND_FEED, feed_view_sql
from app.models.fence import fence_sql

revision = "202611261220"
down_revision = "202611261200"
branch_labels = None
depends_on = None

_TABLES = (
    "publicity_materials",
    "publicity_logs",
)
_METRICS = (
    "leaflets",
    "notices",
    "slogans",
    "broadcasts",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "publicity_materials",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("quota_per_unit", sa.Integer(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_publicity_materials")),
    )
    op.create_table(
        "publicity_logs",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("time_quality", sa.String(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("material_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("photo_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "material_id"],
            ["publicity_materials.township_code", "publicity_materials.id"],
            name=op.f("fk_publicity_logs_township_code_material_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_publicity_logs")),
    )
    op.create_index("ix_publicity_logs_time", "publicity_logs", ["township_code", "at", "id"], unique=False)
    op.create_index(
        "ix_publicity_logs_unit",
        "publicity_logs",
        ["township_code", "unit_code", "material_id"],
        unique=False,
    )
    for metric in _METRICS:
        op.add_column(
            "daily_counters", sa.Column(metric, sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
    for table in _TABLES:
        for statement in fence_sql(table):
            op.execute(statement)
    for statement in (*feed_view_sql(revision), *crossing_sql(APPEND_FEED)):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in feed_view_sql(down_revision):
        op.execute(statement)
    for table in reversed(_TABLES):
        op.drop_table(table)
    for metric in _METRICS:
        op.drop_column("daily_counters", metric)
