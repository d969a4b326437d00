"""households, people and the checks at their doors"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.fence import fence_sql

revision = "202611231902"
down_revision = "202611231901"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "households",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("register_no", sa.String(), nullable=True),
        sa.Column("head_id", sa.Uuid(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("edited_rev", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_households")),
    )
    op.create_index(
        "ix_households_register_no", "households", ["township_code", "unit_code", "register_no"], unique=False
    )
    op.create_index("ix_households_unit", "households", ["township_code", "unit_code", "id"], unique=False)
    op.create_table(
        "household_checks",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("register_seen", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("unaccounted", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("fact_unit_code", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "household_id"],
            ["households.township_code", "households.id"],
            name=op.f("fk_household_checks_township_code_household_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_household_checks")),
    )
    op.create_index(
        "ix_household_checks_household",
        "household_checks",
        ["township_code", "household_id", "day"],
        unique=False,
    )
    op.create_index(
        "ix_household_checks_time", "household_checks", ["township_code", "occurred_at", "id"], unique=False
    )
    op.create_table(
        "people",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=True),
        sa.Column("sex", sa.String(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("id_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("edited_rev", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("whereabouts", sa.String(), nullable=True),
        sa.Column("away_to", sa.String(), nullable=True),
        sa.Column("returned_from", sa.String(), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("exposure", sa.String(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quarantine_order_id", sa.Uuid(), nullable=True),
        sa.Column("ever_quarantined", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "household_id"],
            ["households.township_code", "households.id"],
            name=op.f("fk_people_township_code_household_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_people")),
        sa.UniqueConstraint("township_code", "id_fingerprint", name="uq_people_id_fingerprint"),
    )
    op.create_index("ix_people_household", "people", ["township_code", "household_id"], unique=False)
    op.create_index("ix_people_phone", "people", ["township_code", "phone_fingerprint"], unique=False)
    op.create_index("ix_people_unit", "people", ["township_code", "unit_code", "id"], unique=False)
    op.create_table(
        "check_lines",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("id_seen", sa.Boolean(), nullable=False),
        sa.Column("whereabouts", sa.String(), nullable=False),
        sa.Column("away_to", sa.String(), nullable=True),
        sa.Column("returned_from", sa.String(), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("exposure", sa.String(), nullable=False),
        sa.Column("temperature_c", sa.Numeric(precision=3, scale=1), nullable=True),
        sa.Column("symptoms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("fact_unit_code", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "check_id"],
            ["household_checks.township_code", "household_checks.id"],
            name=op.f("fk_check_lines_township_code_check_id"),
        ),
        sa.ForeignKeyConstraint(
            ["township_code", "person_id"],
            ["people.township_code", "people.id"],
            name=op.f("fk_check_lines_township_code_person_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "check_id", "person_id", name=op.f("pk_check_lines")),
    )
    op.create_index(
        "ix_check_lines_person", "check_lines", ["township_code", "person_id", "day"], unique=False
    )
    op.create_table(
        "reveals",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "person_id"],
            ["people.township_code", "people.id"],
            name=op.f("fk_reveals_township_code_person_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_reveals")),
    )
    op.create_index("ix_reveals_person", "reveals", ["township_code", "person_id"], unique=False)
    for table in ("households", "people", "household_checks", "check_lines", "reveals"):
        for statement in fence_sql(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("reveals")
    op.drop_table("check_lines")
    op.drop_table("people")
    op.drop_table("household_checks")
    op.drop_table("households")
