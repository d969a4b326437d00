"""photos, and the records that name them"""

import sqlalchemy as sa
from alembic import op

from app.models.fence import fence_sql

revision = "202611252130"
down_revision = "202611252100"
branch_labels = None
depends_on = None

# The owner stands behind the fence as well: open it, for this transaction, to read every record and write its uses.
EVERYWHERE = "'{[100000000000,1000000000000)}'"
NAMED_SO_FAR = """
INSERT INTO photo_uses (township_code, unit_code, kind, record_id, sha256, author_id)
SELECT DISTINCT r.township_code, r.unit_code, '{kind}', r.id, named.sha256, r.author_id
FROM {table} AS r, unnest(r.photo_ids) AS named(sha256) WHERE r.photo_ids <> '{{}}'
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "photo_uses",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "kind", "record_id", "sha256", name=op.f("pk_photo_uses")),
    )
    op.create_index("ix_photo_uses_sha256", "photo_uses", ["township_code", "sha256"], unique=False)
    op.create_table(
        "photos",
        sa.Column("township_code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_size", sa.Integer(), nullable=False),
        sa.Column("copy_sha256", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("position_sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("township_code", "id", name=op.f("pk_photos")),
        sa.UniqueConstraint(
            "township_code", "sha256", "author_id", name=op.f("uq_photos_township_code_sha256_author_id")
        ),
    )
    for table in ("photo_uses", "photos"):
        for statement in fence_sql(table):
            op.execute(statement)
    for lane in ("unit", "clinic"):
        op.execute(f"SET LOCAL app.{lane} = {EVERYWHERE}")
    for kind, table in (("visit", "visits"), ("log", "disinfection_logs")):
        op.execute(NAMED_SO_FAR.format(kind=kind, table=table))
    for lane in ("unit", "clinic"):
        op.execute(f"SET LOCAL app.{lane} = ''")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("photos")
    op.drop_table("photo_uses")
