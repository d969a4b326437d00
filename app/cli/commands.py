"""The commands' names, options and help; what they do lies in the files beside."""

import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from app.cli import feed, keys, operators, server
from app.cli.opening import opened
from app.core.settings import get_settings

app = typer.Typer(
    name="wangge",
    help="网格: a township's epidemic control.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(keys.app, name="keys")
out = Console(stderr=True)


@app.command()
def serve() -> None:
    """Run the API; with no DATABASE_URL on an embedded PostgreSQL in the data folder."""
    if not server.port_is_free(get_settings().host, get_settings().port):
        raise SystemExit(f"Port {get_settings().port} is in use; choose another with PORT.")
    with opened(get_settings()) as settings:
        server.run(settings)


@app.command()
def demo() -> None:
    """Run the API with the 58 units of 东观镇 and demonstration data."""
    from app.cli.demo import run_demo  # Faker is an optional dependency

    run_demo(get_settings())


@app.command()
def migrate() -> None:
    """Bring the database to the newest migration, without stopping a running site."""
    with opened(get_settings(), share=True):
        out.print("The database is at the newest migration.")


@app.command()
def create_township(
    code: Annotated[str, typer.Argument(help="9 digits, such as 511303106.")],
    name: Annotated[str, typer.Argument(help="Such as 东观镇.")],
    units: Annotated[Path | None, typer.Option(help="CSV: unit_code,name,kind.", exists=True)] = None,
    timezone: Annotated[str, typer.Option(help="An IANA zone; days are cut there.")] = "Asia/Shanghai",
) -> None:
    """Create a township, and its units from a CSV file."""
    with opened(get_settings(), share=True) as settings:
        made, count = operators.create_township(settings, code, name, timezone, units)
    out.print(f"{'Created' if made else 'Kept'} {code} {name}, {count} units loaded.")


@app.command()
def create_user(
    township: Annotated[str, typer.Argument(help="9 digits.")],
    username: Annotated[str, typer.Argument()],
    role: Annotated[str, typer.Option(help="township, village, checkpoint or clinic.")] = "township",
    name: Annotated[str, typer.Option(help="The person's name; default: the user name.")] = "",
    code: Annotated[list[str] | None, typer.Option(help="A unit; repeat for several.")] = None,
    checkpoint: Annotated[
        list[UUID] | None, typer.Option(help="A checkpoint's id; repeat for several.")
    ] = None,
) -> None:
    """Create an account and print a temporary password for it, once."""
    with opened(get_settings(), share=True) as settings:
        user = operators.User(username, role, name or username, tuple(code or ()), tuple(checkpoint or ()))
        password = operators.create_user(settings, township, user)
    out.print(f"Created {username}. Temporary password, shown this once:")
    sys.stdout.write(password + "\n")


@app.command()
def create_api_key(
    code: Annotated[str, typer.Argument(help="The scope: 2, 4, 6, 9 or 12 digits.")],
    name: Annotated[str, typer.Argument(help="Whose dashboard.")],
    days: Annotated[int, typer.Option(help="How long it is good.", min=1, max=730)] = 365,
) -> None:
    """Create an observer's key, for a county, city or province too, and print it, once."""
    with opened(get_settings(), share=True) as settings:
        key = operators.create_api_key(settings, code, name, days)
    sys.stdout.write(key + "\n")


@app.command()
def revoke_api_key(
    prefix: Annotated[str, typer.Argument(help="The part after wgk_, which lists show.")],
) -> None:
    """Revoke an observer's key of any scope; it stops at once."""
    with opened(get_settings(), share=True) as settings:
        operators.revoke_api_key(settings, prefix)
    out.print(f"Revoked {prefix}.")


@app.command("import")
def import_sheet(
    kind: Annotated[str, typer.Argument(help="units, staff or households.")],
    file: Annotated[Path, typer.Argument(help="CSV or XLSX.", exists=True, dir_okay=False)],
    township: Annotated[str, typer.Option(help="9 digits.")],
    rejects: Annotated[Path | None, typer.Option(help="Where bad rows go; default FILE.rejects.csv.")] = None,
    unit: Annotated[str | None, typer.Option(help="12 digits: the unit of rows that name none.")] = None,
) -> None:
    """Load a sheet as a village office keeps it; bad rows come back with their number and the reason."""
    from app.cli.sheets import import_file

    with opened(get_settings(), share=True) as settings:
        good = import_file(settings, kind, file, township, rejects, out, unit)
    raise typer.Exit(0 if good else 1)


@app.command()
def verify_log(
    township: Annotated[str | None, typer.Option(help="9 digits; default: every township.")] = None,
) -> None:
    """Prove the feed: no number missing, no row changed, and its last word is what the records say."""
    with opened(get_settings(), share=True) as settings:
        rows, faults = feed.verify(settings, township)
    for fault in faults:
        out.print(f"{fault.scope}, number {fault.seq}: {fault.what}.")
    out.print(f"{rows} rows, {len(faults)} faults.")
    raise typer.Exit(1 if faults else 0)


@app.command()
def recount(
    township: Annotated[str | None, typer.Option(help="9 digits; default: every township.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only compare; exit with 1 if anything differs.")
    ] = False,
) -> None:
    """Recompute every counter from the records, and correct those that differ."""
    with opened(get_settings(), share=True) as settings:
        differences = feed.recount(settings, township, check)
    for unit, day, metric, stored, true in differences:
        out.print(f"{unit} {day} {metric}: {stored} stored, {true} by the records.")
    out.print(f"{len(differences)} differences" + (", corrected." if differences and not check else "."))
    raise typer.Exit(1 if differences and check else 0)


@app.command()
def new_epoch(township: Annotated[str, typer.Argument(help="9 digits.")]) -> None:
    """After a restore from a backup: let phones start anew, and send again what the backup does not hold."""
    with opened(get_settings(), share=True) as settings:
        feed.new_epoch(settings, township)
    out.print(f"The phones of {township} start anew.")


@app.command()
def simulate(
    days: Annotated[float, typer.Option(help="How many working days of 13 hours.", min=0.01, max=30)] = 1,
    speed: Annotated[
        float, typer.Option(help="Seconds of the phones' clocks a second.", min=1, max=3600)
    ] = 600,
    seed: Annotated[int, typer.Option(help="Another seed, other days.")] = 7,
    url: Annotated[str | None, typer.Option(help="Of the running demo; default: that of demo.json.")] = None,
) -> None:
    """Let the phones of 58 units work against the running demo, and prove that nothing was lost."""
    from app.cli.simulate import run_simulation  # httpx is an optional dependency

    good = run_simulation(get_settings(), url, days, speed, seed)
    raise typer.Exit(0 if good else 1)


def main() -> None:
    """Run the command line."""
    app()
