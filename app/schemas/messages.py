"""Words for clients (contract, section 10)."""

from app.schemas.fields import View


class WordsView(View):
    """A text in both languages."""

    zh: str
    en: str


class MessagesView(View):
    """Every text that a client may have to show, by the code that stands for it in answers."""

    reasons: dict[str, WordsView]
    pass_faults: dict[str, WordsView]
    problems: dict[str, WordsView]
    fields: dict[str, WordsView]
