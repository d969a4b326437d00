"""One file a noun; handlers of one to five lines."""

from app.routers import auth, system

ROUTERS = (system.router, auth.router)
