"""`python -m app.cli` is `wangge`."""

from app.cli.commands import main

main()
