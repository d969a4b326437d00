"""the grid: units, staff, counters of each unit and day"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.fence import fence_sql

revision = "202611231901"
down_revision = "202611231900"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "daily_counters",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("unit_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("households", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("households_checked", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("people_at_home", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("people_away", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("people_returned", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("exposed_found", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("orders_active", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("service_due", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("service_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("service_missed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("temperature_due", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("temperature_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("temperature_missed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("fevers", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("passes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("denials", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sites_due", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sites_disinfected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("alerts_open", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("denied_outsider", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("denied_fever", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("denied_no_mask", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("denied_purpose_not_allowed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("denied_in_quarantine", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("denied_pass_invalid", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("denied_pass_expired", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("denied_pass_revoked", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("denied_pass_replayed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("people", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "day", "unit_code", name=op.f("pk_daily_counters")),
    )
    op.create_table(
        "staff",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("codes", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("checkpoint_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("team", sa.String(), nullable=True),
        sa.Column("position", sa.String(), nullable=True),
        sa.Column("health", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_staff")),
    )
    op.create_index(op.f("ix_staff_person_id"), "staff", ["person_id"], unique=False)
    op.create_table(
        "units",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "unit_code", name=op.f("pk_units")),
    )
    for table in ("units", "staff", "daily_counters"):
        for statement in fence_sql(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("units")
    op.drop_table("staff")
    op.drop_table("daily_counters")
