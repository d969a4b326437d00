"""The settings of the township in whose name work is done: what it chose, and defaults for the rest."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from app.core.work import Work
from app.schemas.townships import TownshipSettings


def settings_of(work: Work) -> TownshipSettings:
    """Return the settings of the work's township, as they stood when the work began."""
    return complete(work.township.settings)


def complete(chosen: Mapping[str, Any]) -> TownshipSettings:
    """Return whole settings from what is stored; a name of another version is passed over."""
    return _read(tuple(sorted(chosen.items())))


@lru_cache(maxsize=256)
def _read(chosen: tuple[tuple[str, Any], ...]) -> TownshipSettings:
    return TownshipSettings.model_validate({k: v for k, v in chosen if k in TownshipSettings.model_fields})
