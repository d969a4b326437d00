"""duty and patrols"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.crossings import crossing_sql
from app.models.feeding import APPEND_FEED, feed_view_sql
from app.models.fence import FENCE, fence_sql

revision = "202611261200"
down_revision = "202611261100"
branch_labels = None
depends_on = None

_TABLES = ("squads", "shifts", "shift_posts", "shift_signings", "patrols")
_METRICS = ("patrols", "shifts_signed_in")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "squads",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("leader_id", sa.Uuid(), nullable=True),
        sa.Column("staff_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_squads")),
    )
    op.create_table(
        "shifts",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("team", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_shifts")),
    )
    op.create_index("ix_shifts_day", "shifts", ["township_code", "day", "unit_code"], unique=False)
    op.create_table(
        "shift_posts",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("off", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "shift_id"],
            ["shifts.township_code", "shifts.id"],
            name=op.f("fk_shift_posts_township_code_shift_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "shift_id", "staff_id", name=op.f("pk_shift_posts")),
    )
    op.create_index(
        "ix_shift_posts_staff", "shift_posts", ["township_code", "staff_id", "starts_at"], unique=False
    )
    op.create_table(
        "shift_signings",
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
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "shift_id"],
            ["shifts.township_code", "shifts.id"],
            name=op.f("fk_shift_signings_township_code_shift_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_shift_signings")),
    )
    op.create_index("ix_shift_signings_shift", "shift_signings", ["township_code", "shift_id"], unique=False)
    op.create_table(
        "patrols",
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
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("squad_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        sa.Column("photo_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_patrols")),
    )
    op.create_index("ix_patrols_time", "patrols", ["township_code", "at", "id"], unique=False)
    for metric in _METRICS:
        op.add_column(
            "daily_counters", sa.Column(metric, sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
    for table in ("squads", "shift_posts", "shifts", "shift_signings", "patrols"):
        for statement in fence_sql(table):
            op.execute(statement)
    # Narrower since 202611261310.
    op.execute(f"ALTER POLICY fence ON shifts WITH CHECK ({FENCE['shifts'].using})")
    for statement in (*feed_view_sql(revision), *crossing_sql(APPEND_FEED)):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in feed_view_sql(down_revision):
        op.execute(statement)
    op.execute("DROP POLICY fence ON shifts")
    for table in reversed(_TABLES):
        op.drop_table(table)
    for metric in _METRICS:
        op.drop_column("daily_counters", metric)
