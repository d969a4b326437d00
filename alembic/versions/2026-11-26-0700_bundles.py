"""what the offline bundles of gates are made of"""

import sqlalchemy as sa
from alembic import op

from app.models.fence import fence_sql, grant_sql

revision = "202611260700"
down_revision = "202611260330"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "gate_salts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("township_code", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log2_n", sa.SmallInteger(), nullable=False),
        sa.Column("salt_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_salts")),
    )
    op.create_index("ix_gate_salts_township", "gate_salts", ["township_code", "made_at"], unique=False)
    op.create_table(
        "gate_digests",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("salt_id", sa.Uuid(), nullable=False),
        sa.Column("id_fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "salt_id", "id_fingerprint", name=op.f("pk_gate_digests")),
    )
    op.create_table(
        "gate_bundles",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("bundle_no", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("people_mark", sa.String(), nullable=True),
        sa.Column("base_mark", sa.String(), nullable=True),
        sa.Column("base", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("township_code", "checkpoint_id", name=op.f("pk_gate_bundles")),
    )
    op.create_table(
        "bundle_sections",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since_no", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "checkpoint_id", "name", name=op.f("pk_bundle_sections")),
    )
    for table in ("gate_digests", "gate_bundles", "bundle_sections"):
        for statement in fence_sql(table):
            op.execute(statement)
    for statement in grant_sql("gate_salts"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table in ("bundle_sections", "gate_bundles", "gate_digests", "gate_salts"):
        op.drop_table(table)
