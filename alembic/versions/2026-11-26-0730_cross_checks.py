"""what the records of gates and of doors say against each other"""

import sqlalchemy as sa
from alembic import op

from app.models.crossings import crossing_sql
from app.models.feeding import APPEND_FEED, feed_view_sql

revision = "202611260730"
down_revision = "202611260700"
branch_labels = None
depends_on = None

_RECORDED = ("decisions", "household_checks")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("pass_showings", sa.Column("holder", sa.LargeBinary(), nullable=True), if_not_exists=True)
    # An alert that names a gate is told to that gate's staff only where they have a part in it.
    for statement in (*feed_view_sql(revision), *crossing_sql(APPEND_FEED)):
        op.execute(statement)
    with op.get_context().autocommit_block():
        # What a first try left unfinished is of no use.
        for index in ("ix_decisions_crossings", *(f"ix_{table}_recorded" for table in _RECORDED)):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
        op.create_index(
            "ix_decisions_crossings",
            "decisions",
            ["township_code", "subject_person_id", "day", "occurred_at"],
            postgresql_where=sa.text("subject_person_id IS NOT NULL AND verdict = 'pass'"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        for table in _RECORDED:
            op.create_index(
                f"ix_{table}_recorded",
                table,
                ["recorded_at"],
                postgresql_using="brin",
                postgresql_with={"autosummarize": True, "pages_per_range": 32},
                postgresql_concurrently=True,
                if_not_exists=True,
            )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table in _RECORDED:
        op.drop_index(f"ix_{table}_recorded", table)
    op.drop_index("ix_decisions_crossings", "decisions")
    op.drop_column("pass_showings", "holder")
