"""checkpoints, their rules, decisions"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.crossings import CROSSINGS, crossing_sql
from app.models.fence import fence_sql

revision = "202611231904"
down_revision = "202611231903"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "checkpoints",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_checkpoints")),
        sa.UniqueConstraint("township_code", "number", name=op.f("uq_checkpoints_township_code_number")),
    )
    op.create_index("ix_checkpoints_unit", "checkpoints", ["township_code", "unit_code"], unique=False)
    op.create_table(
        "checkpoint_rules",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_code", "checkpoint_id"],
            ["checkpoints.township_code", "checkpoints.id"],
            name=op.f("fk_checkpoint_rules_township_code_checkpoint_id"),
        ),
        sa.PrimaryKeyConstraint(
            "township_code", "checkpoint_id", "version", name=op.f("pk_checkpoint_rules")
        ),
    )
    op.create_table(
        "decisions",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_person_id", sa.Uuid(), nullable=True),
        sa.Column("subject_unit_code", sa.BigInteger(), nullable=True),
        sa.Column("name_masked", sa.String(), nullable=True),
        sa.Column("claimed_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("plate", sa.String(), nullable=True),
        sa.Column("temperature_c", sa.Numeric(precision=3, scale=1), nullable=False),
        sa.Column("mask", sa.Boolean(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["township_code", "checkpoint_id"],
            ["checkpoints.township_code", "checkpoints.id"],
            name=op.f("fk_decisions_township_code_checkpoint_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_decisions")),
    )
    op.create_index(
        "ix_decisions_checkpoint",
        "decisions",
        ["township_code", "checkpoint_id", "occurred_at", "id"],
        unique=False,
    )
    for table in ("checkpoints", "checkpoint_rules", "decisions"):
        for statement in fence_sql(table):
            op.execute(statement)
    for crossing in CROSSINGS:
        for statement in crossing_sql(crossing):
            op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for crossing in CROSSINGS:
        op.execute(f"DROP FUNCTION {crossing.signature}")
    op.drop_table("decisions")
    op.drop_table("checkpoint_rules")
    op.drop_table("checkpoints")
