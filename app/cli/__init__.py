"""`wangge`: the commands for operators."""

from app.cli.commands import app, main

__all__ = ["app", "main"]
