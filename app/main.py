"""The application: settings, lifespan, problem handlers, routers; nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app import __version__
from app.access import in_townships_name
from app.core import problem_response
from app.core.clock import Clock, SystemClock
from app.core.database import APP_ROLE, Database
from app.core.edge import Edge
from app.core.keys import KeyRing
from app.core.kit import Kit
from app.core.settings import Settings, get_settings
from app.core.tokens import TokenVerifier
from app.core.vault import Vault
from app.openapi import DESCRIPTION, TAGS, install_openapi
from app.routers import ROUTERS
from app.services.clockwork import Clockwork


def make_kit(settings: Settings, clock: Clock) -> Kit:
    """Put the parts of a running program together.

    Raises:
        SystemExit: no database is named.
        KeyRingError: the key ring is missing, readable by others, or weak.
    """
    url = settings.app_database_url or settings.database_url
    if url is None:
        raise SystemExit(
            "DATABASE_URL is not set; `wangge serve` and `wangge demo` start the embedded database."
        )
    role = None if settings.app_database_url else APP_ROLE
    database = Database(url, pool_size=settings.pool_size, pool_timeout=settings.pool_timeout, role=role)
    ring = KeyRing.load(settings.key_file)
    verifier = TokenVerifier(ring.public_keys(), settings.issuer, settings.issuer)
    return Kit(settings, database, ring, Vault(ring), verifier, clock)


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> FastAPI:
    """Return the application; tests pass their own settings and clock."""
    settings = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        kit = app.state.kit = make_kit(settings, clock or SystemClock())
        async with Clockwork(kit, partial(in_townships_name, kit)):
            yield
        await kit.database.close()

    app = FastAPI(
        title="wangge 网格",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        redirect_slashes=False,
        middleware=[Middleware(Edge), *_cors(settings)],
    )
    app.state.draining = False
    problem_response.install(app)
    for router in ROUTERS:
        app.include_router(router)
    install_openapi(app)
    return app


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.allowed_origins:
        return []
    exposed = ["ETag", "Idempotent-Replay", "Retry-After", "X-Request-Id"]
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=exposed,
        )
    ]
