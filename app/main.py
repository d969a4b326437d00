"""The application: settings, lifespan, problem handlers, routers; nothing else."""

import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from types import FrameType

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app import __version__
from app.access import in_townships_name
from app.core import problem_response
from app.core.clock import Clock, SystemClock
from app.core.edge import Edge, Guard
from app.core.kit import make_kit
from app.core.orphans import end_with_parent
from app.core.settings import Settings, get_settings
from app.openapi import DESCRIPTION, TAGS, install_openapi
from app.routers import ROUTERS
from app.services.clockwork import Clockwork


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> FastAPI:
    """Return the application; tests pass their own settings and clock."""
    settings = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        end_with_parent()
        kit = app.state.kit = make_kit(settings, clock or SystemClock())
        with _drain_on_signal(app):
            async with kit.bell, kit.watch, Clockwork(kit, partial(in_townships_name, kit)):
                yield
        await kit.database.close()

    app = FastAPIOffline(  # its pages work without the internet
        title="wangge 网格",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        redirect_slashes=False,
        middleware=[Middleware(Edge), *_cors(settings), Middleware(Guard)],
        redoc_url=None,
        static_url="/docs/assets",
    )
    app.state.draining = False
    problem_response.install(app)
    for router in ROUTERS:  # flat, so that a request is matched once and not by router and then by route
        app.router.routes.extend(router.routes)
    install_openapi(app)
    return app


@contextmanager
def _drain_on_signal(app: FastAPI) -> Iterator[None]:
    """Let /readyz say so as soon as the server is told to stop; the server's own handler does the rest."""
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGTERM, signal.SIGINT)}
    if threading.current_thread() is not threading.main_thread() or not all(map(callable, before.values())):
        yield
        return

    def drain(number: int, frame: FrameType | None) -> None:
        app.state.draining = True
        app.state.kit.watch.end()
        handler = before[signal.Signals(number)]
        assert callable(handler)
        handler(number, frame)

    for sign in before:
        signal.signal(sign, drain)
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    exposed = ["ETag", "Idempotent-Replay", "Retry-After", "X-Request-Id"]
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=exposed,
        )
    ]
