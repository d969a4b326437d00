"""posters, self-reports, tips, incidents and bulletins"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.crossings import crossing_sql
from app.models.feeding import APPEND_FEED, feed_view_sql
from app.models.fence import FENCE, fence_sql

revision = "202611261230"
down_revision = "202611261220"
branch_labels = None
depends_on = None

_TABLES = ("posters", "self_reports", "tips", "incidents", "bulletins")
_METRICS = ("tips", "incidents", "machines_destroyed", "banquets_stopped")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "posters",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("renewed_by", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "unit_code", name=op.f("pk_posters")),
    )
    op.create_table(
        "self_reports",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("arrived_on", sa.Date(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closing_note", sa.Text(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_self_reports")),
    )
    op.create_index(
        "ix_self_reports_time", "self_reports", ["township_code", "recorded_at", "id"], unique=False
    )
    op.create_table(
        "tips",
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
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("photo_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("squad_id", sa.Uuid(), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closing_note", sa.Text(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_tips")),
    )
    op.create_index("ix_tips_status", "tips", ["township_code", "status", "at"], unique=False)
    op.create_index("ix_tips_time", "tips", ["township_code", "at", "id"], unique=False)
    op.create_table(
        "incidents",
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
        sa.Column("tip_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("photo_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("publish", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "tip_id"],
            ["tips.township_code", "tips.id"],
            name=op.f("fk_incidents_township_code_tip_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_incidents")),
    )
    op.create_index("ix_incidents_time", "incidents", ["township_code", "at", "id"], unique=False)
    op.create_table(
        "bulletins",
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
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("photo_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "incident_id"],
            ["incidents.township_code", "incidents.id"],
            name=op.f("fk_bulletins_township_code_incident_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_bulletins")),
    )
    op.create_index("ix_bulletins_time", "bulletins", ["township_code", "at", "id"], unique=False)
    for metric in _METRICS:
        op.add_column(
            "daily_counters", sa.Column(metric, sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
    for table in _TABLES:
        for statement in fence_sql(table):
            op.execute(statement)
    # What a bulletin names is for all units to look at. The way back leaves this: there are no such photos then.
    uses = FENCE["photo_uses"]
    op.execute(f"ALTER POLICY fence ON photo_uses USING ({uses.using}) WITH CHECK ({uses.check})")
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
