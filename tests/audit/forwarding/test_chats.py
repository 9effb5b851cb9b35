"""Chats by apprise: a real child, a real service's form over TLS, and every way out that is not the one."""

import importlib.util
import json
import socket
import subprocess
import sys

import pytest

from audit.errors import NotReceived
from audit.forwarders import chats, gate, sender
from audit.forwarders.chats import Chat, place
from audit.forwarders.streams import Tls
from tests.audit.forwarding.certificates import Authority

TOKEN = "3ccdd113474722377935511fc85d3dd4"
HERE = gate.networks("127.0.0.0/8")

installed = pytest.mark.skipif(importlib.util.find_spec("apprise") is None, reason="apprise is not installed")


def chat(server, authority, *, allowed=HERE, address="", host="127.0.0.1", port=0) -> Chat:
    port = port or server.server_port
    address = address or f"mmosts://127.0.0.1:{server.server_port}/{TOKEN}"
    return Chat(address, host, port, tls=Tls(host, authority.pair.certificate), allowed=allowed)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}", ("hooks.slack.com", 443, "slack")),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?thread=1", ("discord.com", 443, "discord")),
        (f"mmosts://Chat.Example.com/{TOKEN}", ("chat.example.com", 443, "mmosts")),
        ("ntfys://user:pass@ntfy.example.com:8443/alarms", ("ntfy.example.com", 8443, "ntfys")),
    ],
)
def test_an_address_says_where_it_leads(address, found):
    assert place(address) == found


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://hooks.slack.com/services/a/b/c",
        "file:///etc/passwd",
        "syslog://",
        "exec://id",
        "dbus://",
        "mailtos://a:b@example.com",
        f"mmost://chat.example.com/{TOKEN}",
        f"jsons://chat.example.com/{TOKEN}",
        f"mmosts://chat.example.com/{TOKEN}?verify=no",
        f"mmosts://chat.example.com/{TOKEN}?thread=1&template=/etc/passwd",
        f"mmosts://chat.example.com/{TOKEN}?redirect=yes",
        f"mmosts://chat.example.com/{TOKEN}#part",
        f"mmosts://chat.example.com/{TOKEN}\r\nX: y",
        f"mmosts://2130706433/{TOKEN}",
        f"mmosts://[::1/{TOKEN}",
        f"mmosts://chat.example.com:99999/{TOKEN}",
        f"mmosts://ch\u0430t.example.com/{TOKEN}",
        f"mmosts://chat.example.com/{'x' * 3000}",
    ],
    ids=lambda address: repr(address[:60]),
)
def test_ssrf_by_another_address_is_refused_and_not_repeated(address):
    with pytest.raises(ValueError, match=r"[A-Z].*\.") as refused:
        place(address)
    assert TOKEN not in str(refused.value)


@installed
def test_a_text_arrives_where_its_address_says(server, authority):
    chat(server, authority).send(["Raised: one", "Raised: two"])
    ((path, _, body),) = server.came
    assert path == f"/hooks/{TOKEN}"
    told = json.loads(body)["text"]
    assert told.index("Raised: one") < told.index("Raised: two")


@installed
@pytest.mark.parametrize("status", [302, 307, 403, 503])
def test_any_answer_but_a_yes_is_a_no_and_no_redirect_is_followed(server, authority, status):
    server.status = status
    with pytest.raises(NotReceived, match="did not take"):
        chat(server, authority).send(["x"])
    assert {path for path, _, _ in server.came} == {f"/hooks/{TOKEN}"}


@installed
def test_a_certificate_of_another_authority_gets_nothing(server):
    with pytest.raises(NotReceived, match="certificate"):
        chat(server, Authority()).send(["x"])
    assert server.came == []


@installed
@pytest.mark.parametrize(
    "changes",
    [{"allowed": ()}, {"host": "chat.example.com"}, {"port": 9}],
    ids=["a private network", "another name", "another port"],
)
def test_ssrf_below_apprise_is_refused(server, authority, changes):
    with pytest.raises(NotReceived, match="another place"):
        chat(server, authority, **changes).send(["x"])
    assert server.came == []


@installed
def test_an_address_that_apprise_cannot_read_is_said_so(server, authority):
    with pytest.raises(NotReceived, match="enter it again"):
        chat(server, authority, address="slack://x").send(["x"])


def test_without_apprise_it_says_what_to_install(server, authority, monkeypatch, tmp_path):
    (tmp_path / "python").write_text(
        '#!/bin/sh\nexec "$VS_REAL" -S "$@"\n'.replace("$VS_REAL", sys.executable)
    )
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(NotReceived, match=r"requirements-apprise\.txt"):
        chat(server, authority).send(["x"])


@installed
def test_no_address_reaches_an_argument_the_environment_or_an_error(server, authority, monkeypatch):
    seen, real = [], subprocess.run

    def run(command, **given):
        seen.append(repr((command, given["env"])))
        return real(command, **given)

    monkeypatch.setattr(chats.subprocess, "run", run)
    server.status = 500
    with pytest.raises(NotReceived) as refused:
        chat(server, authority).send(["x"])
    assert seen
    assert TOKEN not in "".join(seen) + str(refused.value)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_every_service_is_one_of_apprise_s_over_tls():
    manager = pytest.importorskip("apprise.manager_plugins").NotificationManager()
    known = {schema: manager[schema] for schema in (*chats.PUBLIC, *chats.OWN)}
    for schema, plugin in known.items():
        secure = plugin.secure_protocol
        assert schema in ((secure,) if isinstance(secure, str) else secure)


def attempt(code: str) -> str:
    """Run code in a child under the guard; what it ended by."""
    text = (
        "import socket, subprocess, os, threading\n"
        "from audit.forwarders import gate, sender\n"
        "sender.guard('chat.example.com', 443, gate.networks('127.0.0.0/8'))\n"
        f"try:\n    {code}\n"
        "except sender.Elsewhere:\n    print('refused')\n"
        "except Exception as error:\n    print(type(error).__name__)\n"
        "else:\n    print('went through')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=20, cwd=chats._PROJECT
    )
    return done.stdout.strip() or done.stderr[-300:]


@pytest.mark.parametrize(
    "code",
    [
        "socket.getaddrinfo('evil.example.com', 443)",
        "socket.gethostbyname('evil.example.com')",
        "socket.create_connection(('10.0.0.1', 443), 0.2)",
        "socket.create_connection(('169.254.169.254', 443), 0.2)",
        "socket.socket().connect(('10.0.0.1', 443))",
        "socket.socket().connect(('127.0.0.1', 5432))",
        "socket.socket().connect_ex(('127.0.0.1', 5432))",
        "socket.socket(socket.AF_INET6).connect(('::ffff:10.0.0.1', 443))",
        "socket.socket(socket.AF_UNIX).connect('/run/x')",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 53))",
        "subprocess.run(['true'])",
        "os.system('true')",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
    ],
)
def test_ssrf_the_child_has_one_way_out(code):
    assert attempt(code) == "refused"


def test_the_one_way_is_open():
    assert attempt("socket.socket().connect(('127.0.0.1', 443))") == "ConnectionRefusedError"


def test_the_child_ends_by_itself(authority):
    """A receiver that accepts and says nothing holds no worker."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        told = {"address": f"mmosts://127.0.0.1:{port}/{TOKEN}", "host": "127.0.0.1", "port": port}
        told |= {"allowed": ["127.0.0.0/8"], "authority": "", "text": "x", "patience": 1}
        done = subprocess.run(
            [sys.executable, "-m", "audit.forwarders.sender"],
            input=json.dumps(told).encode(),
            timeout=15,
            cwd=chats._PROJECT,
            check=False,
        )
    assert done.returncode != sender.SENT
