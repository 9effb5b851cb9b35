"""SSRF: the web process fetches no address that somebody typed; the configured provider's alone."""

import ast
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.approvals.conftest import job, make_job, people, transactional  # noqa: F401
from tests.house.sources import APPS, ROOT, written_python
from tests.pages.conftest import as_user, encrypted  # noqa: F401
from tests.veeamsec import matrix

NETWORK = frozenset(
    {"aiohttp", "ftplib", "http", "httpx", "paramiko", "requests", "smtplib", "socket", "ssl", "urllib3"}
)
# What runs as the worker, the receiver of events, the supervisor or the demo; and the text of an address.
ELSEWHERE = (
    "audit/forwarders/",
    "encryption/crypto/providers/kmip/",
    "encryption/engines/",
    "encryption/management/",
    "veeamsec/demo",
    "veeamsec/peer/",
)
FILES = frozenset(
    {
        "audit/services/ways.py",
        "encryption/services/veeam/addresses.py",
        "veeamsec/management/commands/setup.py",
        "veeamsec/supervisor.py",
    }
)
FIELDS = (
    "address",
    "callback",
    "comment",
    "data_category",
    "hint",
    "host",
    "location",
    "login",
    "name",
    "next",
    "password",
    "reason",
    "server",
    "source",
    "to",
    "url",
    "username",
    "webhook",
)


def imported(text: str) -> set[str]:
    """The first names of the modules that a file imports; of http and urllib those that fetch."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    fetching = {name for name in found if name.startswith(("urllib.request", "http.client"))}
    return fetching | {name.partition(".")[0] for name in found if not name.startswith(("http", "urllib"))}


def test_what_the_web_process_runs_speaks_to_no_network():
    guilty = []
    for path in written_python():
        name = str(path.relative_to(ROOT))
        if name.partition("/")[0] not in APPS:
            continue
        if name.startswith(ELSEWHERE) or name in FILES:
            continue
        used = imported(path.read_text())
        if used & NETWORK or any(one.startswith(("urllib.request", "http.client")) for one in used):
            guilty.append(name)
    assert guilty == []


@pytest.fixture
def trap() -> Iterator[tuple[str, list[Any]]]:
    """An address on this machine, and who came."""
    came: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        ended = threading.Event()

        def wait() -> None:
            while not ended.is_set():
                try:
                    connection, peer = listening.accept()
                except TimeoutError:
                    continue
                came.append(peer)
                connection.close()

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/trap", came
        ended.set()
        thread.join(5)


@pytest.mark.django_db
@pytest.mark.parametrize("form", [True, False], ids=["forms", "bodies"])
def test_no_typed_address_is_fetched(people, encrypted, trap, form):  # noqa: F811
    url, came = trap
    ids = matrix._ids(encrypted) | {"request": "0" * 8, "object_id": "0", "server_id": str(encrypted.pk)}
    clients = [as_user(user) for user in (people.administrator, people.operator, people.dpo)]
    typed: dict[str, Any] = dict.fromkeys(FIELDS, url) | {"jobs": [url], "paths": [url]}
    headers = {"Referer": url, "X-Forwarded-Host": "127.0.0.1", "If-Match": "*"}
    for path in sorted(set(matrix.routes())):
        if path.startswith("/api/") == form:
            continue
        for client in clients:
            options = {} if form else {"content_type": "application/json"}
            client.post(path.format_map(_Ids(ids)), typed, headers=headers, **options)
    assert came == []
    # The trap would have caught it.
    socket.create_connection(urlsplit(url).netloc.split(":"), timeout=5).close()
    wait_for(came)
    assert len(came) == 1


def wait_for(came: list[Any]) -> None:
    """Give the trap a moment."""
    ends = time.monotonic() + 5
    while not came and time.monotonic() < ends:
        time.sleep(0.05)


class _Ids(dict[str, str]):
    """Ids by name; the name itself for one that is unknown."""

    def __missing__(self, name: str) -> str:
        return "00000000-0000-4000-8000-000000000000"
