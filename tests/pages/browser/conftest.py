"""A real browser against a real server: the machine's Chromium, on localhost, as passkeys need a name."""

import shutil
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.test import override_settings
from django.urls import reverse

from tests.accounts.factories import PASSWORD
from tests.approvals.conftest import fresh_code
from tests.pages.browser.remote import Remote
from tests.pages.conftest import as_user

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them on one worker: two browsers at once are slower than one after the other."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    arguments = ["--no-sandbox", "--disable-background-networking"]
    with ThreadPoolExecutor(max_workers=1) as thread:
        playwright = thread.submit(sync_api.sync_playwright().start).result()
        launch = partial(playwright.chromium.launch, executable_path=CHROMIUM, args=arguments)
        browser = Remote(thread.submit(launch).result(), thread)
        yield browser
        browser.close()
        thread.submit(playwright.stop).result()


@pytest.fixture
def server(transactional_db: None) -> Iterator[str]:
    """The pages, served; the origin is known before the server reads it."""
    from pytest_django.live_server_helper import LiveServer

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    origin = f"http://localhost:{port}"
    with override_settings(VEEAMSEC_ORIGIN=origin, CSRF_TRUSTED_ORIGINS=[origin]):
        served = LiveServer(f"localhost:{port}")
        yield origin
        served.stop()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complained of."""
    return []


@pytest.fixture
def open_page(chromium: Any, server: str, complaints: list[str]) -> Iterator[Callable[..., Any]]:
    """Open a page of a new browser; as `user` if given, with scripts unless told otherwise."""
    contexts = []

    def open_it(user: Any = None, **options: Any) -> Any:
        context = chromium.new_context(base_url=server, **options)
        contexts.append(context)
        if user is not None:
            session = as_user(user).cookies["session"].value
            context.add_cookies([{"name": "session", "value": session, "url": server}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_it
    for context in contexts:
        context.close()


def sign_in(page: Any, user: Any) -> None:
    """Sign in as a person does: password, then the code of the app."""
    page.goto(reverse("account_login"))
    page.fill("[name=login]", user.username)
    page.fill("[name=password]", PASSWORD)
    page.click("main button.primary")
    page.fill("[name=code]", fresh_code(user))
    page.click("main button.primary")
    page.wait_for_url(lambda url: url.endswith("/"))
