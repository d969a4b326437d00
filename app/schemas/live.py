"""What the live stream needs besides its events."""

from pydantic import Field

from app.schemas.fields import Instant, View


class TicketView(View):
    """A ticket for `GET /v1/live?ticket=`."""

    ticket: str = Field(description="Good for one connection.")
    expires_at: Instant
