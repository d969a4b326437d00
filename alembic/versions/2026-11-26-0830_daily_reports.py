"""units' daily reports, and the days of the report as they were frozen"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.crossings import crossing_sql
from app.models.feeding import APPEND_FEED, feed_view_sql
from app.models.fence import fence_sql

revision = "202611260830"
down_revision = "202611260800"
branch_labels = None
depends_on = None

_TABLES = ("report_submissions", "report_days", "frozen_reports", "report_changes")


def _key() -> list[sa.Column[Any]]:
    """The columns by which a unit's numbers in a revision of a day are found."""
    return [
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), autoincrement=False, nullable=False),
    ]


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "report_submissions",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("timing", sa.String(), nullable=False),
        sa.Column("declared", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_report_submissions")),
    )
    op.create_index(
        "ix_report_submissions_day", "report_submissions", ["township_code", "day", "unit_code"], unique=False
    )
    op.create_table(
        "report_days",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "day", name=op.f("pk_report_days")),
    )
    op.create_table(
        "frozen_reports",
        *_key(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timing", sa.String(), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "township_code", "day", "revision", "unit_code", name=op.f("pk_frozen_reports")
        ),
    )
    op.create_table(
        "report_changes",
        *_key(),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("records", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint(
            "township_code", "day", "revision", "unit_code", "metric", name=op.f("pk_report_changes")
        ),
    )
    for table in _TABLES:
        for statement in fence_sql(table):
            op.execute(statement)
    for statement in (*feed_view_sql(revision), *crossing_sql(APPEND_FEED)):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    # The feed must no longer read what is about to go.
    for statement in feed_view_sql(down_revision):
        op.execute(statement)
    for table in reversed(_TABLES):
        op.drop_table(table)
