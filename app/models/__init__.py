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
    passes,
    photos,
    quarantine,
    rankings,
    report_layouts,
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
    "passes",
    "photos",
    "quarantine",
    "rankings",
    "report_layouts",
    "sync",
    "webhooks",
]
