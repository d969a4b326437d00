"""home quarantine: orders, slots, visits, alerts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.fence import fence_sql

revision = "202611231903"
down_revision = "202611231902"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "alerts",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=True),
        sa.Column("gate_unit_code", sa.BigInteger(), nullable=True),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("township_code", "cause", name=op.f("uq_alerts_township_code_cause")),
    )
    op.create_index(
        "ix_alerts_checkpoint",
        "alerts",
        ["township_code", "checkpoint_id"],
        unique=False,
        postgresql_where=sa.text("checkpoint_id IS NOT NULL"),
    )
    op.create_index("ix_alerts_order", "alerts", ["township_code", "order_id"], unique=False)
    op.create_index("ix_alerts_unit", "alerts", ["township_code", "unit_code", "status", "id"], unique=False)
    op.create_index(
        "ix_alerts_visit",
        "alerts",
        ["township_code", "visit_id"],
        unique=False,
        postgresql_where=sa.text("visit_id IS NOT NULL"),
    )
    op.create_table(
        "quarantine_orders",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("check_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("monitor_id", sa.Uuid(), nullable=False),
        sa.Column("helpers_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("service_per_day", sa.SmallInteger(), nullable=False),
        sa.Column("temperature_per_day", sa.SmallInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("release_reason", sa.String(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "person_id"],
            ["people.township_code", "people.id"],
            name=op.f("fk_quarantine_orders_township_code_person_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_quarantine_orders")),
    )
    op.create_index(
        "ix_quarantine_orders_ends",
        "quarantine_orders",
        ["township_code", "ends_on"],
        unique=False,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index(
        "ix_quarantine_orders_household", "quarantine_orders", ["township_code", "household_id"], unique=False
    )
    op.create_index(
        "ix_quarantine_orders_unit",
        "quarantine_orders",
        ["township_code", "unit_code", "status", "id"],
        unique=False,
    )
    op.create_index(
        "uq_quarantine_orders_active_person",
        "quarantine_orders",
        ["township_code", "person_id"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "quarantine_slots",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("missed", sa.Boolean(), nullable=False),
        sa.Column("alerted", sa.Boolean(), nullable=False),
        sa.Column("fact_unit_code", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "order_id"],
            ["quarantine_orders.township_code", "quarantine_orders.id"],
            name=op.f("fk_quarantine_slots_township_code_order_id"),
        ),
        sa.PrimaryKeyConstraint(
            "township_code", "order_id", "day", "kind", "slot", name=op.f("pk_quarantine_slots")
        ),
    )
    op.create_index(
        "ix_quarantine_slots_open",
        "quarantine_slots",
        ["township_code", "ends_at"],
        unique=False,
        postgresql_where=sa.text("visits = 0 AND NOT missed"),
    )
    op.create_index(
        "ix_quarantine_slots_late",
        "quarantine_slots",
        ["township_code"],
        unique=False,
        postgresql_where=sa.text("visits > 0 AND (missed OR alerted)"),
    )
    op.create_table(
        "visits",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("temperature_c", sa.Numeric(precision=3, scale=1), nullable=True),
        sa.Column("symptoms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("at_home", sa.Boolean(), nullable=False),
        sa.Column("alerts", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("purchases", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("needs", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("photo_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("fact_unit_code", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "order_id"],
            ["quarantine_orders.township_code", "quarantine_orders.id"],
            name=op.f("fk_visits_township_code_order_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_visits")),
    )
    op.create_index("ix_visits_order", "visits", ["township_code", "order_id", "day"], unique=False)
    for table in ("quarantine_orders", "quarantine_slots", "visits", "alerts"):
        for statement in fence_sql(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("visits")
    op.drop_table("quarantine_slots")
    op.drop_table("quarantine_orders")
    op.drop_table("alerts")
