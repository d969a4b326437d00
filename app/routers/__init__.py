"""One file a noun; handlers of one to five lines."""

from app.routers import (
    alerts,
    api_keys,
    auth,
    checkpoints,
    decisions,
    disinfection,
    grid,
    household_checks,
    households,
    imports,
    people,
    quarantine,
    reports,
    staff,
    system,
    visits,
)

# Looked through in this order for every request: the busiest first.
ROUTERS = (
    decisions.busiest,
    decisions.router,
    system.router,
    auth.router,
    checkpoints.router,
    disinfection.router,
    grid.router,
    households.router,
    people.router,
    household_checks.router,
    imports.router,
    staff.router,
    api_keys.router,
    reports.router,
    quarantine.router,
    visits.router,
    alerts.router,
)
