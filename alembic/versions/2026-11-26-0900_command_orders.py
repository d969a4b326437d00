"""orders of the command post"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.crossings import crossing_sql
from app.models.feeding import APPEND_FEED, feed_view_sql
from app.models.fence import fence_sql

revision = "202611260900"
down_revision = "202611260830"
branch_labels = None
depends_on = None

_TABLES = ("command_orders", "order_units", "order_answers")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "command_orders",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("codes", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("requires", sa.String(), nullable=False),
        sa.Column("issue_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("photo_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_command_orders")),
    )
    op.create_index(
        "ix_command_orders_due",
        "command_orders",
        ["township_code", "issue_at"],
        unique=False,
        postgresql_where=sa.text("issued_at IS NULL AND withdrawn_at IS NULL"),
    )
    op.create_table(
        "order_units",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("feedback_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fulfilled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "order_id"],
            ["command_orders.township_code", "command_orders.id"],
            name=op.f("fk_order_units_township_code_order_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_order_units")),
        sa.UniqueConstraint(
            "township_code",
            "order_id",
            "unit_code",
            name=op.f("uq_order_units_township_code_order_id_unit_code"),
        ),
    )
    op.create_index(
        "ix_order_units_silent",
        "order_units",
        ["township_code", "issued_at"],
        unique=False,
        postgresql_where=sa.text("fulfilled_at IS NULL AND NOT over"),
    )
    op.create_table(
        "order_answers",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("photo_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "order_id"],
            ["command_orders.township_code", "command_orders.id"],
            name=op.f("fk_order_answers_township_code_order_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_order_answers")),
    )
    op.create_index(
        "ix_order_answers_order",
        "order_answers",
        ["township_code", "order_id", "unit_code", "recorded_at"],
        unique=False,
    )
    for table in ("order_units", "command_orders", "order_answers"):
        for statement in fence_sql(table):
            op.execute(statement)
    for statement in (*feed_view_sql(revision), *crossing_sql(APPEND_FEED)):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    # The feed must no longer read what is about to go.
    for statement in feed_view_sql(down_revision):
        op.execute(statement)
    op.execute("DROP POLICY fence ON command_orders")
    for table in reversed(_TABLES):
        op.drop_table(table)
