"""tickets of the live stream, and how often a key may ask"""

import sqlalchemy as sa
from alembic import op

from app.models.fence import grant_sql

revision = "202611261030"
down_revision = "202611261000"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "live_tickets",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_live_tickets")),
    )
    op.create_index(op.f("ix_live_tickets_expires_at"), "live_tickets", ["expires_at"], unique=False)
    op.add_column(
        "api_keys", sa.Column("per_minute", sa.Integer(), server_default=sa.text("600"), nullable=False)
    )
    for statement in grant_sql("live_tickets"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("api_keys", "per_minute")
    op.drop_table("live_tickets")
