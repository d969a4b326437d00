"""Write every migration's SQL offline, a file each, and have squawk judge it: nothing here needs a database.

A migration must not stop the site: no long lock, no rewrite of a table under load. The few rules that are
switched off, and why, are in .squawk.toml.
"""

import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).resolve().parent.parent
# Alembic's own table, made before the first migration: not ours to change.
BOOKKEEPING = re.compile(r"CREATE TABLE alembic_version \(.*?\);\n", re.DOTALL)


def configuration(output: io.StringIO) -> Config:
    """Alembic's configuration of this project, with the SQL going to `output`."""
    return Config(ROOT / "alembic.ini", output_buffer=output)


def write_sql(folder: Path) -> list[str]:
    """Write each migration's upgrade into `folder`, oldest first; returns the files' names."""
    names = []
    for script in reversed(list(ScriptDirectory.from_config(configuration(io.StringIO())).walk_revisions())):
        output = io.StringIO()
        before = script.down_revision or "base"
        command.upgrade(configuration(output), f"{before}:{script.revision}", sql=True)
        name = f"{Path(script.path).stem}.sql"
        (folder / name).write_text(BOOKKEEPING.sub("", output.getvalue()), encoding="utf-8")
        names.append(name)
    return names


def main() -> int:
    """Judge every migration; returns squawk's exit code, or 1 where there is nothing to judge."""
    with tempfile.TemporaryDirectory() as folder:
        names = write_sql(Path(folder))
        if not names:
            print("no migrations found", file=sys.stderr)
            return 1
        done = subprocess.run(["squawk", "--config", str(ROOT / ".squawk.toml"), *names], cwd=folder)
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
