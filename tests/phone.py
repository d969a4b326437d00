"""The reference phone under test: the same phone, in bad weather, cloned, and restored from a backup."""

import copy
import random
from dataclasses import dataclass
from typing import Any

from httpx import AsyncClient

from app.cli.simulate.clocks import Clocks
from app.cli.simulate.phone import Answer, Phone, Send

__all__ = ["Clocks", "Phone", "Weather", "cloned", "over"]


@dataclass
class Weather:
    """How likely a request is lost on its way, and its answer on the way back, and how often it arrives twice."""

    chance: random.Random
    lose_request: float = 0.0
    lose_reply: float = 0.0
    twice: float = 0.0


def over(client: AsyncClient, weather: Weather | None = None) -> Send:
    """Return what sends over a client, through the weather."""

    async def send(method: str, path: str, body: dict[str, Any] | None) -> Answer:
        if weather and weather.chance.random() < weather.lose_request:
            raise OSError("lost")
        answer = await client.request(method, path, json=body)
        if weather and weather.chance.random() < weather.twice:
            answer = await client.request(method, path, json=body)
        if weather and weather.chance.random() < weather.lose_reply:
            raise OSError("lost")
        return answer.status_code, answer.json()

    return send


def cloned(phone: Phone) -> Phone:
    """Return a second phone with everything that this one has: a clone, or a backup to be restored later."""
    send, clocks = phone.send, phone.clocks
    phone.send = phone.clocks = None  # type: ignore[assignment]
    twin = copy.deepcopy(phone)
    phone.send, phone.clocks = send, clocks
    twin.send, twin.clocks = send, copy.copy(clocks)
    return twin
