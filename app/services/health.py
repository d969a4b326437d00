"""Readiness and metrics of the program itself."""

import os

import asyncpg
from prometheus_client import CONTENT_TYPE_LATEST as METRICS_TYPE
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from app.core.database import Database
from app.core.migrations import head_revision
from app.core.problems import Problem

__all__ = ["METRICS_TYPE", "metrics", "readiness"]


async def readiness(database: Database, draining: bool) -> dict[str, str]:
    """Return what is fine ("ok") and what is not, by name."""
    findings = {"draining": "yes" if draining else "ok", "database": "unreachable", "migrations": "unknown"}
    try:
        async with database.connection() as link:
            revision = await link.sql.fetchval("SELECT version_num FROM alembic_version", timeout=3)
            findings["database"] = "ok"
            findings["migrations"] = "ok" if revision == head_revision() else "behind"
    except Problem:
        pass
    except asyncpg.PostgresError as error:  # a missing table, say: not ready, and never a 500
        findings["database"] = type(error).__name__
    return findings


def metrics() -> bytes:
    """Return the metrics in Prometheus's text format, over all worker processes where there are several."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
