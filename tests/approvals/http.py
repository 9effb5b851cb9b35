"""A browser and a token's client, and what they send and get."""

import json
from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import users
from approvals.models import ApprovalRequest
from tests.approvals.conftest import CUSTODY, SECRET, answers, fresh_code

BASE = "/api/v1/requests/"
HOST = {"host": "localhost:8000"}


class Browser:
    """A signed-in browser that keeps the session and sends the CSRF token."""

    def __init__(self, user: User, *, csrf: bool = True) -> None:
        self.user = user
        self.client = Client(enforce_csrf_checks=True, headers=HOST)
        self.client.force_login(user)
        self.csrf = csrf

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """POST JSON."""
        token = "x" * 32
        self.client.cookies["csrftoken"] = token
        sent = headers | ({"x-csrftoken": token, "origin": "http://localhost:8000"} if self.csrf else {})
        return self.client.post(path, json.dumps(body), content_type="application/json", headers=sent)

    def get(self, path: str) -> Any:
        """GET."""
        return self.client.get(path)

    def challenge(self, request: ApprovalRequest, verdict: str = "approve", **fields: Any) -> Any:
        """The first half of a decision."""
        body = {"verdict": verdict, "digest": request.digest} | fields
        return self.post(f"{BASE}{request.pk}/challenge/", body)

    def decide(
        self, request: ApprovalRequest, verdict: str = "approve", comment: str = "", **fields: Any
    ) -> Any:
        """Both halves, by code; where the first is refused, the second is tried all the same."""
        begun = self.challenge(request, verdict, comment=comment)
        nonce = begun.json().get("nonce", "none")
        body = {
            "digest": request.digest,
            "comment": comment,
            "nonce": nonce,
            "step_up": {"totp": fresh_code(self.user)},
        }
        return self.post(f"{BASE}{request.pk}/{verdict}/", body | fields)


def bearer(user: User) -> APIClient:
    """A client with a token of an account."""
    token = users.create_token(user=user, name="test", days=1, scopes=["api"], by=user)
    return APIClient(headers=HOST | {"authorization": f"Bearer {token}"})


def body_of(job: Any, **fields: Any) -> dict[str, Any]:
    """An activation, as a client sends it."""
    return {
        "kind": "activate_encryption",
        "reason": "The authority asks for it.",
        "jobs": [str(job.pk)],
        "new_password": SECRET,
        "hint": "Hall 2026",
        "custody": [CUSTODY],
        "answers": answers(),
    } | fields


def code(answer: Any) -> tuple[int, str]:
    """Status and problem code."""
    assert answer["content-type"].startswith("application/problem+json"), answer.content
    return answer.status_code, answer.json()["code"]
