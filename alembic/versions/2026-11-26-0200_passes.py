"""passes, the keys that sign them, and what is shown at gates"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.crossings import PASS_STANDING, crossing_sql
from app.models.fence import fence_sql, grant_sql

revision = "202611260200"
down_revision = "202611252130"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "gate_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("township_code", sa.BigInteger(), nullable=False),
        sa.Column("use", sa.String(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("private_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("jwk", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("signs_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signs_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_keys")),
        sa.UniqueConstraint(
            "township_code",
            "use",
            "number",
            "signs_from",
            name=op.f("uq_gate_keys_township_code_use_number_signs_from"),
        ),
    )
    op.create_table(
        "passes",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("class", sa.String(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=True),
        sa.Column("purposes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_number", sa.SmallInteger(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("code_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["township_code", "person_id"],
            ["people.township_code", "people.id"],
            name=op.f("fk_passes_township_code_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["township_code", "checkpoint_id"],
            ["checkpoints.township_code", "checkpoints.id"],
            name=op.f("fk_passes_township_code_checkpoint_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_passes")),
        sa.UniqueConstraint("township_code", "number", name=op.f("uq_passes_township_code_number")),
    )
    op.create_index("ix_passes_person", "passes", ["township_code", "person_id"], unique=False)
    op.create_index("ix_passes_unit", "passes", ["township_code", "unit_code", "id"], unique=False)
    op.create_index(
        "ix_passes_revoked",
        "passes",
        ["township_code", "revoked_at"],
        unique=False,
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
    )
    op.create_table(
        "pass_showings",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("faults", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("used", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("township_code", "decision_id", name=op.f("pk_pass_showings")),
        sa.UniqueConstraint(
            "township_code", "number", "used", name=op.f("uq_pass_showings_township_code_number_used")
        ),
    )
    op.create_index(
        "ix_pass_showings_decision",
        "pass_showings",
        ["township_code", "checkpoint_id", "at"],
        unique=False,
    )
    for table in ("passes", "pass_showings"):
        for statement in fence_sql(table):
            op.execute(statement)
    for statement in (*grant_sql("gate_keys"), *crossing_sql(PASS_STANDING)):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP FUNCTION pass_standing(bigint, bigint[])")
    for table in ("pass_showings", "passes", "gate_keys"):
        op.drop_table(table)
