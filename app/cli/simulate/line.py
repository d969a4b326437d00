"""The line between the phones and the server: real HTTP, and the weather of a village."""

import random
from dataclasses import dataclass
from typing import Any

import httpx

from app.cli.simulate.phone import Answer

LOSE_REQUEST, LOSE_REPLY, TWICE = 0.08, 0.08, 0.05


@dataclass
class Tally:
    """What happened on all lines."""

    requests: int = 0
    lost_requests: int = 0
    lost_replies: int = 0
    refused: int = 0


class Line:
    """One login's line; `weather` says whether it loses things."""

    def __init__(self, client: httpx.AsyncClient, tally: Tally, seed: int = 0) -> None:
        self._client = client
        self._tally = tally
        self._dice = random.Random(seed)
        self._login: dict[str, str] = {}
        self._token = ""
        self.weather = False

    def another(self, seed: int) -> "Line":
        """Return a line of its own for another login."""
        return Line(self._client, self._tally, seed)

    async def log_in(self, username: str, password: str) -> None:
        """Log in, now and whenever the token has become old.

        Raises:
            SystemExit: the login is refused.
        """
        self._login = {"username": username, "password": password}
        answer = await self._client.post("/v1/auth/token", data=self._login)
        if answer.status_code != 200:
            raise SystemExit(f"wangge: the login of {username} is refused ({answer.status_code}).")
        self._token = answer.json()["access_token"]

    async def send(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        """Send a request and return its answer.

        Raises:
            OSError: no answer came.
        """
        self._tally.requests += 1
        if self.weather and self._dice.random() < LOSE_REQUEST:
            self._tally.lost_requests += 1
            raise OSError("lost")
        answer = await self._request(method, path, body)
        if answer.status_code == 401:
            await self.log_in(**self._login)
            answer = await self._request(method, path, body)
        if self.weather and method == "POST" and self._dice.random() < TWICE:
            answer = await self._request(method, path, body)
        if self.weather and self._dice.random() < LOSE_REPLY:
            self._tally.lost_replies += 1
            raise OSError("lost")
        self._tally.refused += answer.status_code >= 400
        return answer.status_code, answer.json()

    async def _request(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            return await self._client.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise OSError(str(error)) from error
