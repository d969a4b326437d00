"""the feed, the operations of phones, and what they need to know of records"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models.crossings import crossing_sql
from app.models.feeding import APPEND_FEED, CHAIN_SQL, feed_view_sql
from app.models.fence import fence_sql

revision = "202611252100"
down_revision = "202611231905"
branch_labels = None
depends_on = None

EVENTS = ("household_checks", "visits", "decisions", "disinfection_logs")
FENCED = ("feed_heads", "feed", "operations", "conflicts")

# Every further gate of a unit gets a feed of its own.
AUDIENCES = """
UPDATE checkpoints c SET audience = 'checkpoint-' || c.number
WHERE EXISTS (SELECT 1 FROM checkpoints o WHERE o.township_code = c.township_code AND o.unit_code = c.unit_code
    AND o.number < c.number)
"""

# What stands already is told as the first change of each record.
FIRST_CHANGES = """
DO $$
DECLARE town bigint;
BEGIN
    PERFORM set_config('app.' || lane, '{[100000000000,1000000000000)}', true)
    FROM unnest(ARRAY['unit', 'clinic', 'gate', 'post']) AS lane;
    FOR town IN SELECT code FROM townships ORDER BY code LOOP
        PERFORM append_feed(town, now(), '00000000-0000-0000-0000-000000000000', 'migration',
            array_agg(r.kind), array_agg(r.id), array_agg(NULL::uuid), false)
        FROM (SELECT DISTINCT kind, id FROM feed_records WHERE township_code = town ORDER BY id) r
        HAVING count(*) > 0;
    END LOOP;
END $$
"""


def _township_columns() -> list[sa.Column]:
    return [
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), autoincrement=False, nullable=False),
    ]


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _add_columns()
    _create_tables()
    for table in FENCED:
        for statement in fence_sql(table):
            op.execute(statement)
    op.execute("GRANT SELECT, INSERT ON former_assignments TO wangge_app")
    for statement in (
        *feed_view_sql(revision),
        *CHAIN_SQL,
        *crossing_sql(APPEND_FEED),
    ):
        op.execute(statement)
    op.execute(FIRST_CHANGES)


def _add_columns() -> None:
    op.add_column("townships", sa.Column("epoch", sa.Uuid(), nullable=True))
    for table in EVENTS:
        op.add_column(table, sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True))
        op.add_column(table, sa.Column("time_quality", sa.String(), nullable=True))
    nothing = sa.text("'{}'")
    for table in ("households", "people"):
        op.add_column(
            table, sa.Column("field_revs", postgresql.JSONB(), server_default=nothing, nullable=False)
        )
    symptoms = sa.Column("symptoms", postgresql.ARRAY(sa.Text()), server_default=nothing, nullable=False)
    op.add_column("people", symptoms)
    audience = sa.Column("audience", sa.String(), server_default=sa.text("'checkpoint'"), nullable=False)
    op.add_column("checkpoints", audience)
    op.add_column("checkpoints", sa.Column("rev", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.execute(AUDIENCES)


def _create_tables() -> None:
    op.create_table(
        "former_assignments",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("codes", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("checkpoint_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "ended_at", name=op.f("pk_former_assignments")),
    )
    op.create_table(
        "feed_heads",
        *_township_columns(),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "unit_code", "audience", name=op.f("pk_feed_heads")),
    )
    op.create_table(
        "feed",
        *_township_columns(),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=True),
        sa.Column("op_id", sa.Uuid(), nullable=True),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("data", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("township_code", "unit_code", "audience", "seq", name=op.f("pk_feed")),
    )
    op.create_index(
        "ix_feed_record",
        "feed",
        ["township_code", "unit_code", "audience", "kind", "id", "seq"],
        postgresql_include=["rev", "change"],
    )
    _create_operations()
    _create_conflicts()


def _create_operations() -> None:
    op.create_table(
        "operations",
        *_township_columns(),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("errors", postgresql.JSONB(), nullable=True),
        sa.Column("entity_kind", sa.String(), nullable=True),
        sa.Column("entity_id", sa.Uuid(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=True),
        sa.Column("scope", sa.String(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("op_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_quality", sa.String(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_for", sa.String(), nullable=True),
        sa.Column("op_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settled_note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_operations")),
    )
    op.create_index(
        "ix_operations_open",
        "operations",
        ["township_code", "status", "received_at", "id"],
        postgresql_where=sa.text("status IN ('held', 'rejected', 'conflict')"),
    )
    op.create_index(
        "ix_operations_held",
        "operations",
        ["township_code", "held_until"],
        postgresql_where=sa.text("status = 'held'"),
    )


def _create_conflicts() -> None:
    op.create_table(
        "conflicts",
        *_township_columns(),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("op_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("preferred", sa.String(), nullable=False),
        sa.Column("current_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("proposed_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("current_author_id", sa.Uuid(), nullable=True),
        sa.Column("proposed_author_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("kept", sa.String(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_conflicts")),
    )
    op.create_index("ix_conflicts_unit", "conflicts", ["township_code", "unit_code", "status", "id"])
    op.create_index("ix_conflicts_record", "conflicts", ["township_code", "record_id"])


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(f"DROP FUNCTION {APPEND_FEED.signature}")
    op.execute("DROP AGGREGATE feed_chain (bytea, text)")
    op.execute("DROP FUNCTION feed_link(bytea, bytea, text)")
    op.execute("DROP TYPE feed_record")
    op.execute("DROP VIEW feed_records")
    for table in (*FENCED, "former_assignments"):
        op.drop_table(table)
    op.drop_column("checkpoints", "rev")
    op.drop_column("checkpoints", "audience")
    op.drop_column("people", "symptoms")
    for table in ("households", "people"):
        op.drop_column(table, "field_revs")
    for table in EVENTS:
        op.drop_column(table, "time_quality")
        op.drop_column(table, "claimed_at")
    op.drop_column("townships", "epoch")
