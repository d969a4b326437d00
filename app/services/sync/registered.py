"""Somebody whom a phone registers and who is registered already: a conflict to look at, not a loss of the rest."""

from typing import Any

from app.schemas.household_checks import CheckBody
from app.schemas.households import HouseholdBody
from app.services.person_registration import PersonRegistered


def without_registered(body: Any, problem: PersonRegistered) -> tuple[Any, list[Any]]:
    """Return a household or check without the people whom the problem blames, and what was told of those.

    The body is None where nothing can be stored without them: a household's head, or a place that is not theirs.
    """
    places = {tuple(error.pointer.split("/")[1:3]) for error in problem.errors}
    blamed = {int(place[1]) for place in places if place[0] == "members"}
    if ("head", "id_number") in places and isinstance(body, HouseholdBody):
        return None, [body.head, *(body.members[n] for n in sorted(blamed))]
    if not blamed or not isinstance(body, HouseholdBody | CheckBody):
        return None, []
    dropped: list[Any] = [body.members[n] for n in sorted(blamed)]
    kept = [member for n, member in enumerate(body.members) if n not in blamed]
    return body.model_copy(update={"members": kept}), dropped
