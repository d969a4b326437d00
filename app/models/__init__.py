"""The tables, one noun a file; importing this package fills the metadata."""

from app.models import (
    accounts,
    briefings,
    bundles,
    checkpoints,
    command_orders,
    daily_reports,
    disinfection,
    duty,
    grid,
    households,
    outcomes,
    passes,
    photos,
    quarantine,
    rankings,
    sync,
    webhooks,
)
from app.models.base import metadata

__all__ = [
    "accounts",
    "briefings",
    "bundles",
    "checkpoints",
    "command_orders",
    "daily_reports",
    "disinfection",
    "duty",
    "grid",
    "households",
    "metadata",
    "outcomes",
    "passes",
    "photos",
    "quarantine",
    "rankings",
    "sync",
    "webhooks",
]
