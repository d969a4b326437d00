"""rulings that a gate gave without signal, judged again"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.crossings import RAISE_BREACH, crossing_sql
from app.models.fence import fence_sql

revision = "202611260330"
down_revision = "202611260200"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "decision_judgements",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bundle_no", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("agrees", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["township_code", "decision_id"],
            ["decisions.township_code", "decisions.id"],
            name=op.f("fk_decision_judgements_township_code_decision_id"),
        ),
        sa.PrimaryKeyConstraint("township_code", "decision_id", name=op.f("pk_decision_judgements")),
    )
    op.create_index(
        "ix_decision_judgements_disagree",
        "decision_judgements",
        ["township_code", "checkpoint_id", "occurred_at", "decision_id"],
        unique=False,
        postgresql_where=sa.text("NOT agrees"),
    )
    for statement in fence_sql("decision_judgements"):
        op.execute(statement)
    # A breach is raised by either judgement: the function is made anew.
    for statement in crossing_sql(RAISE_BREACH):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("decision_judgements")
