"""One file a noun; handlers of one to five lines."""

from app.routers import auth, reports, system

ROUTERS = (system.router, auth.router, reports.router)
