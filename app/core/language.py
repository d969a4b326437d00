"""Two languages: every text that a person may read exists in Chinese and in English."""

from functools import lru_cache
from typing import NamedTuple


class Text(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str

    def say(self, language: str) -> str:
        """Return the text in `language` ("zh" or "en")."""
        return self.en if language == "en" else self.zh


def preferred_language(accept_language: str) -> str:
    """Return "en" where the Accept-Language header prefers English over Chinese, else "zh", the default."""
    return _preferred(accept_language[:200]) if accept_language else "zh"


@lru_cache(maxsize=256)
def _preferred(accept_language: str) -> str:
    best: dict[str, float] = {}
    for part in accept_language.split(","):
        tag, _, parameters = part.strip().partition(";")
        language = tag.split("-")[0].lower()
        best[language] = max(best.get(language, 0.0), _quality(parameters))
    chinese = best.get("zh", best.get("*", 0.0))
    return "en" if best.get("en", 0.0) > chinese else "zh"


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
