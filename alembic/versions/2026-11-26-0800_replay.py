"""when a disinfection was counted"""

import sqlalchemy as sa
from alembic import op

revision = "202611260800"
down_revision = "202611260730"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(
        "disinfection_logs",
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        if_not_exists=True,
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("disinfection_logs", "counted_at")
