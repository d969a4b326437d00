"""supplies and funds"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.crossings import crossing_sql
from app.models.feeding import APPEND_FEED, feed_view_sql
from app.models.fence import fence_sql

revision = "202611261210"
down_revision = "202611261200"
branch_labels = None
depends_on = None

_TABLES = ("supply_items", "supply_moves", "supply_stocks", "funds", "fund_balances")
_METRICS = ("supply_moves", "supplies_confirmed", "fund_records")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "supply_items",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("unit_of_measure", sa.String(), nullable=False),
        sa.Column("per_person_per_shift", sa.Numeric(12, 3), nullable=False),
        sa.Column("per_site", sa.Numeric(12, 3), nullable=False),
        sa.Column("min_stock", sa.Numeric(12, 3), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_supply_items")),
    )
    op.create_table(
        "supply_moves",
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
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(12, 3), nullable=False),
        sa.Column("taken_code", sa.BigInteger(), nullable=False),
        sa.Column("taken_from", sa.String(), nullable=False),
        sa.Column("given_code", sa.BigInteger(), nullable=False),
        sa.Column("given_to", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["township_code", "item_id"],
            ["supply_items.township_code", "supply_items.id"],
            name=op.f("fk_supply_moves_township_code_item_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_supply_moves")),
    )
    op.create_index("ix_supply_moves_time", "supply_moves", ["township_code", "at", "id"], unique=False)
    op.create_table(
        "supply_stocks",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("balance", sa.Numeric(20, 3), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "item_id"],
            ["supply_items.township_code", "supply_items.id"],
            name=op.f("fk_supply_stocks_township_code_item_id"),
        ),
        sa.CheckConstraint(
            "balance >= 0 OR place NOT IN ('stock', 'on_the_way')",
            name=op.f("ck_supply_stocks_never_negative"),
        ),
        sa.PrimaryKeyConstraint(
            "township_code", "unit_code", "item_id", "place", name=op.f("pk_supply_stocks")
        ),
    )
    op.create_table(
        "funds",
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
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount_yuan", sa.Numeric(12, 2), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("photo_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_funds")),
    )
    op.create_index("ix_funds_time", "funds", ["township_code", "at", "id"], unique=False)
    op.create_table(
        "fund_balances",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("balance", sa.Numeric(20, 2), nullable=False),
        sa.CheckConstraint(
            "balance >= 0 OR place <> 'in_hand'", name=op.f("ck_fund_balances_never_negative")
        ),
        sa.PrimaryKeyConstraint("township_code", "unit_code", "place", name=op.f("pk_fund_balances")),
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
