"""counters of what people type are wide"""

from alembic import op

revision = "202611261300"
down_revision = "202611261250"
branch_labels = None
depends_on = None

_COLUMNS = {
    "daily_counters": ("leaflets", "notices", "slogans", "broadcasts", "machines_destroyed"),
    "report_changes": ("before", "after"),
}


def upgrade() -> None:
    _retype("bigint")


def downgrade() -> None:
    _retype("integer")


def _retype(type_: str) -> None:
    """Write the tables anew, which is quick: a row a unit and day, some twenty thousand a year of a township."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table, columns in _COLUMNS.items():
        changes = ", ".join(f"ALTER COLUMN {column} TYPE {type_}" for column in columns)
        op.execute(f"-- squawk-ignore changing-column-type\nALTER TABLE {table} {changes}")
