"""disinfection sites and logs"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.fence import fence_sql

revision = "202611231905"
down_revision = "202611231904"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "disinfection_sites",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("times_per_day", sa.SmallInteger(), nullable=False),
        sa.Column("priority", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("active_since", sa.Date(), nullable=False),
        sa.Column("inactive_since", sa.Date(), nullable=True),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "household_id"],
            ["households.township_code", "households.id"],
            name=op.f("fk_disinfection_sites_township_code_household_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_disinfection_sites")),
    )
    op.create_index(
        "ix_disinfection_sites_unit",
        "disinfection_sites",
        ["township_code", "unit_code", "active"],
        unique=False,
    )
    op.create_index(
        "uq_disinfection_sites_household",
        "disinfection_sites",
        ["township_code", "household_id"],
        unique=True,
        postgresql_where=sa.text("household_id IS NOT NULL"),
    )
    op.create_table(
        "disinfection_logs",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("litres", sa.Numeric(precision=8, scale=2), nullable=True),
        sa.Column("photo_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["township_code", "site_id"],
            ["disinfection_sites.township_code", "disinfection_sites.id"],
            name=op.f("fk_disinfection_logs_township_code_site_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_disinfection_logs")),
    )
    op.create_index(
        "ix_disinfection_logs_site", "disinfection_logs", ["township_code", "site_id", "day"], unique=False
    )
    op.create_index(
        "ix_disinfection_logs_time", "disinfection_logs", ["township_code", "occurred_at", "id"], unique=False
    )
    for table in ("disinfection_sites", "disinfection_logs"):
        for statement in fence_sql(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("disinfection_logs")
    op.drop_table("disinfection_sites")
