"""publicity, closures, village sales and pairings"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.crossings import crossing_sql
from app.models.feeding import APPEND_FEED, feed_view_sql
from app.models.fence import FENCE, fence_sql

revision = "202611261220"
down_revision = "202611261210"
branch_labels = None
depends_on = None

_TABLES = (
    "publicity_materials",
    "publicity_logs",
    "venues",
    "closures",
    "inspections",
    "market_rounds",
    "pairings",
)
_METRICS = (
    "leaflets",
    "notices",
    "slogans",
    "broadcasts",
    "inspections",
    "venues_found_open",
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
    op.create_table(
        "venues",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("essential", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_venues")),
    )
    op.create_index("ix_venues_unit", "venues", ["township_code", "unit_code", "kind"], unique=False)
    op.create_table(
        "closures",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("venue_id", sa.Uuid(), nullable=True),
        sa.Column("market_code", sa.BigInteger(), nullable=True),
        sa.Column("road", sa.String(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("notice", sa.String(), nullable=False),
        sa.Column("photo_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "venue_id"],
            ["venues.township_code", "venues.id"],
            name=op.f("fk_closures_township_code_venue_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_closures")),
    )
    op.create_index("ix_closures_time", "closures", ["township_code", "recorded_at", "id"], unique=False)
    op.create_table(
        "inspections",
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
        sa.Column("venue_id", sa.Uuid(), nullable=False),
        sa.Column("found", sa.String(), nullable=False),
        sa.Column("breach", sa.Boolean(), nullable=False),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("photo_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "venue_id"],
            ["venues.township_code", "venues.id"],
            name=op.f("fk_inspections_township_code_venue_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_inspections")),
    )
    op.create_index("ix_inspections_time", "inspections", ["township_code", "at", "id"], unique=False)
    op.create_index("ix_inspections_venue", "inspections", ["township_code", "venue_id", "day"], unique=False)
    op.create_table(
        "market_rounds",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("goods", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("stops", postgresql.JSONB(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_market_rounds")),
    )
    op.create_index("ix_market_rounds_day", "market_rounds", ["township_code", "day", "id"], unique=False)
    op.create_table(
        "pairings",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("household_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_pairings")),
    )
    op.create_index("ix_pairings_recorded", "pairings", ["township_code", "recorded_at", "id"], unique=False)
    op.create_index("ix_pairings_unit", "pairings", ["township_code", "unit_code"], unique=False)
    for metric in _METRICS:
        op.add_column(
            "daily_counters", sa.Column(metric, sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
    for table in _TABLES:
        for statement in fence_sql(table):
            op.execute(statement)
    # Whoever is told of a closure sees its photos. The way back leaves this: there are no such photos then.
    photos = FENCE["photo_uses"]
    op.execute(f"ALTER POLICY fence ON photo_uses USING ({photos.using}) WITH CHECK ({photos.check})")
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
