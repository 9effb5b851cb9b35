"""The second page of whatever needs a step-up: what it draws, and what comes back from it."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from accounts.services.stepup import StepUp

# A passkey's answer is below two kilobytes; more is not read.
MOST = 16_384


def page_of(begun: Mapping[str, Any], *, action: str, verb: str, hidden: Mapping[str, str]) -> dict[str, Any]:
    """The context of components/factors.html: where each factor is posted, and what goes with it."""
    return {
        "action": action,
        "verb": verb,
        "hidden": [*hidden.items(), ("nonce", begun["nonce"])],
        "factors": begun["factors"],
        "public_key": begun["public_key"],
    }


def came_back(request: HttpRequest) -> bool:
    """Whether this post brings a factor, or is the first one."""
    return "nonce" in request.POST


def step_up_of(request: HttpRequest) -> StepUp:
    """The step-up that a post brings."""
    passkey = request.POST.get("passkey")
    return StepUp(
        nonce=request.POST["nonce"],
        passkey=answer_of(passkey) if passkey is not None else None,
        totp=request.POST.get("totp"),
        password=request.POST.get("password"),
    )


def answer_of(text: str) -> dict[str, Any]:
    """What an authenticator answered; an empty one for what is none."""
    try:
        value = json.loads(text[:MOST])
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
