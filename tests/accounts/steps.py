"""A browser's way through the two steps of a sign-in."""

from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.factories import PASSWORD


def password_step(browser: Client, user: User, password: str = PASSWORD) -> Any:
    """The first step of a sign-in."""
    return browser.post(reverse("account_login"), {"login": user.username, "password": password})


def code_step(browser: Client, code: str) -> Any:
    """The second step."""
    return browser.post(reverse("mfa_authenticate"), {"code": code})


def signed_in(browser: Client) -> bool:
    """Whether the browser has a session of somebody."""
    return "_auth_user_id" in browser.session
