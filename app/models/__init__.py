"""The tables, one noun a file; importing this package fills the metadata."""

from app.models import accounts, checkpoints, disinfection, grid, households, passes, photos, quarantine, sync
from app.models.base import metadata

__all__ = [
    "accounts",
    "checkpoints",
    "disinfection",
    "grid",
    "households",
    "metadata",
    "passes",
    "photos",
    "quarantine",
    "sync",
]
