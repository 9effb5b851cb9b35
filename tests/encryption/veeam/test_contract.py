"""Every request of the client, and every answer to it, judged by the vendor's specification.

The judge is openapi-core, written by others. What deviates from the specification stands in one list, here
and in docs/veeam-deviations.md, and the client reads both forms of each.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from encryption.crypto.secret import Secret
from encryption.engines.veeam import exact, inventory, operations, wire
from encryption.engines.veeam.blocks import Block, blocks, patched
from encryption.engines.veeam.client import Pin, VeeamClient
from encryption.errors import FourEyesRefused, VeeamBusy, VeeamCut, VeeamGone, VeeamRefused, VerifyBlocked
from tests.peer.contract import SLICE, check, judge
from tests.peer.fixtures import peer  # noqa: F401
from veeamsec.peer import Peer, serve

DEVIATIONS = (
    "grant type in lower case",
    "null where it is not allowed",
    "times of day without seconds",
    "enums in another case",
    "409, 429 and 503",
    "cut answers",
    "a block after wrong verifies",
    "four eyes in the way of a deletion",
    "refusals of a sign-in as OAuth writes them",
    "answers without a body",
    "role names with Veeam before them",
)
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "veeam-deviations.md"
UNSPECIFIED = {409, 429, 503}
STANDARD, UNUSED, JOB = "Standard Password", "Unused", "Finance VMs"
GRANT = re.compile(rb"grant_type=(password|refresh_token)")


class Recorder(httpx.BaseTransport):
    """Carries requests as the client's transport does, and keeps both sides."""

    def __init__(self, inner: httpx.BaseTransport, heard: list[httpx.Response]) -> None:
        self.inner, self.heard = inner, heard

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        with closing(self.inner.handle_request(request)) as answer:
            content = answer.read()
        heard = httpx.Response(answer.status_code, headers=answer.headers, content=content, request=request)
        self.heard.append(heard)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(content))

    def close(self) -> None:
        self.inner.close()


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Response]:
    kept: list[httpx.Response] = []
    made = wire.transport
    monkeypatch.setattr(wire, "transport", lambda context: Recorder(made(context), kept))
    return kept


def client_of(peer: Peer, account: str | None = None) -> VeeamClient:  # noqa: F811
    known = peer.accounts[account] if account else peer.account
    password = Secret(known.password.encode())
    return VeeamClient(peer.address, peer.port, Pin(peer.thumbprint), known.name, password)


@pytest.fixture
def theirs(peer: Peer, heard: list) -> Iterator[VeeamClient]:  # noqa: F811
    with client_of(peer) as client:
        yield client


def hold(heard: list[httpx.Response]) -> None:
    """Hold all that was said against the specification, save what is listed as a deviation."""
    assert heard
    for answer in heard:
        if answer.status_code in UNSPECIFIED:
            continue
        request = answer.request
        content = GRANT.sub(lambda found: b"grant_type=" + found[1].capitalize(), request.content)
        answer.request = httpx.Request(
            request.method, request.url, headers=_without_length(request.headers), content=content
        )
        check(answer)


def _without_length(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "content-length"}


READINGS: dict[str, Callable[[VeeamClient], Any]] = {
    "server": lambda client: client.server_info(),
    "passwords": lambda client: list(client.passwords()),
    "kms servers": lambda client: list(client.kms_servers()),
    "jobs": lambda client: list(client.jobs()),
    "job states": lambda client: list(client.job_states()),
    "repositories": lambda client: list(client.repositories()),
    "repository states": lambda client: list(client.repository_states()),
    "scale-out repositories": lambda client: list(client.scale_out_repositories()),
    "backups": lambda client: list(client.backups()),
    "restore points": lambda client: list(client.restore_points()),
    "newer restore points": lambda client: list(client.restore_points(datetime.now(UTC) - timedelta(days=3))),
    "configuration backup": lambda client: client.config_backup(),
    "users": lambda client: list(client.users()),
    "roles": lambda client: list(client.roles()),
    "event forwarding": lambda client: client.event_forwarding(),
    "findings": lambda client: client.analyzer_results(),
    "four eyes": lambda client: list(client.authorization_events()),
    "newer four eyes": lambda client: list(client.authorization_events(datetime(2026, 1, 1, tzinfo=UTC))),
}


@pytest.mark.parametrize("name", READINGS)
def test_reading_is_as_specified(theirs, heard, name):
    judge()
    assert READINGS[name](theirs) is not None
    hold(heard)


def test_life_of_a_password_is_as_specified(theirs, heard):
    judge()
    made = theirs.create_password("New", Secret(b"one"))
    theirs.set_hint(made.id, "Newer")
    theirs.change_password(made.id, "Newest", Secret(b"two"))
    verdicts = [theirs.verify_password(made.id, Secret(value)) for value in (b"one", b"two")]
    hint = theirs.password(made.id).hint
    theirs.delete_password(made.id)
    theirs.close()
    assert (verdicts, hint) == ([False, True], "Newest")
    hold(heard)


def test_change_of_every_job_is_as_specified(peer, theirs, heard):  # noqa: F811
    judge()
    password = UUID(peer.control.password_id(UNUSED))
    for model in list(theirs.jobs()):
        for block in blocks(model):
            wanted = Block(block.path, True, "password", password)
            changed = theirs.put_job(model["id"], patched(theirs.job(model["id"]), block.path, wanted))
            found = next(one for one in blocks(changed) if one.path == block.path)
            assert (found.enabled, found.password) == (True, password)
    hold(heard)


def test_run_of_a_job_is_as_specified(peer, theirs, heard):  # noqa: F811
    judge()
    begun = theirs.start_job(peer.control.job_id(JOB))
    assert theirs.session(begun.id).job == UUID(peer.control.job_id(JOB))
    hold(heard)


def test_run_of_the_analyzer_is_as_specified(theirs, heard):
    judge()
    assert theirs.analyzer_last_run() != theirs.analyzer_start()
    hold(heard)


def test_refusals_are_as_specified(peer, heard):  # noqa: F811
    judge()
    with client_of(peer, "TECH\\viewer") as viewer:
        with pytest.raises(VeeamRefused):
            list(viewer.passwords())
        with pytest.raises(VeeamGone):
            viewer.job("11111111-1111-4111-8111-111111111111")
    hold(heard)


def test_every_operation_is_in_the_specification():
    judge()
    paths = json.loads((SLICE / "vbr-rest-1.3-rev2.slice.json").read_text())["paths"]
    known = {
        (method.upper(), path.replace("{id}", "{}")) for path, found in paths.items() for method in found
    }
    ours = [one for one in vars(operations).values() if isinstance(one, operations.Operation)]
    assert [one for one in ours if (one.method, one.path) not in known] == []


def test_every_deviation_stands_in_the_document():
    named = re.findall(r"^## (.+)$", DOCUMENT.read_text(), re.M)
    assert tuple(name for name in named if not name.startswith("What")) == DEVIATIONS


@pytest.mark.parametrize("name", DEVIATIONS)
def test_every_deviation_gives_its_reason(name):
    section = DOCUMENT.read_text().partition(f"## {name}\n")[2].partition("\n## ")[0]
    assert all(part in section for part in ("Specified:", "Seen:", "So:"))


@pytest.mark.parametrize("vendor", [False, True])
def test_jobs_in_both_forms_are_read_and_go_back_as_they_came(peer, theirs, vendor):  # noqa: F811
    """Nulls, times of day without seconds, enums in another case."""
    wanted = {one["id"]: [_said(block) for block in blocks(one)] for one in theirs.jobs()}
    peer.control.at.options.vendor_form = vendor
    for model in list(theirs.jobs()):
        assert [_said(block) for block in blocks(model)] == wanted[model["id"]]
        assert exact.same(theirs.put_job(model["id"], model), model)


def _said(block: Block) -> tuple[Any, ...]:
    return block.path, block.enabled, block.password, block.kms


@pytest.mark.parametrize("vendor", [False, True])
def test_the_configuration_backup_is_read_in_both_forms(peer, theirs, vendor):  # noqa: F811
    peer.control.at.options.vendor_form = vendor
    assert theirs.config_backup() == theirs.config_backup()


def test_enums_are_read_in_both_cases():
    one = {"id": "11111111-1111-4111-8111-111111111111", "sessionType": "BackupJob"}
    assert inventory.session(one | {"state": "Working"}) == inventory.session(one | {"state": "working"})


@pytest.mark.parametrize("status", sorted(UNSPECIFIED))
def test_a_status_that_is_not_specified_is_busy(peer, theirs, monkeypatch, status):  # noqa: F811
    fault = peer.control.fail_next(status, method="POST", path="changepassword", times=5)
    with pytest.raises(VeeamBusy):
        theirs.change_password(peer.control.password_id(STANDARD), "x", Secret(b"y"))
    assert fault.hits == 1


@pytest.mark.parametrize("kind", ["cut", "drop"])
def test_a_cut_answer_to_a_change_is_told_apart(peer, theirs, kind):  # noqa: F811
    fault = peer.control.fail_next(kind, method="POST", path="changepassword", times=5)
    with pytest.raises(VeeamCut):
        theirs.change_password(peer.control.password_id(STANDARD), "x", Secret(b"y"))
    assert fault.hits == 1


def test_a_cut_reading_is_repeated(peer, theirs, waits):  # noqa: F811
    fault = peer.control.fail_next("cut", method="GET", path="encryptionPasswords")
    assert (len(list(theirs.passwords())) > 0, fault.hits, len(waits)) == (True, 1, 1)


@pytest.mark.parametrize("status", [None, 403, 429])
def test_a_block_after_wrong_verifies_is_read_in_every_form(peer, theirs, status):  # noqa: F811
    peer.control.at.options.blocked_status = status
    password = peer.control.password_id(STANDARD)
    assert {theirs.verify_password(password, Secret(b"wrong")) for _ in range(15)} == {False}
    with pytest.raises(VerifyBlocked):
        theirs.verify_password(password, Secret(b"wrong"))


def test_four_eyes_in_the_way_are_told_apart(peer, theirs):  # noqa: F811
    peer.control.four_eyes(on=True)
    with pytest.raises(FourEyesRefused):
        theirs.delete_password(peer.control.password_id(UNUSED))


@pytest.mark.parametrize("forget", [False, True])
def test_a_token_that_ended_is_renewed(peer, theirs, heard, forget):  # noqa: F811
    judge()
    list(theirs.passwords())
    peer.control.forget_tokens() if forget else peer.control.expire_tokens()
    list(theirs.passwords())
    hold(heard)


@pytest.mark.parametrize(
    ("build", "revision", "role"),
    [
        ("12.3.1.1139", "1.2-rev1", None),
        ("13.0.0.4967", "1.3-rev0", None),
        ("13.0.1.180", "1.3-rev1", "Veeam Backup Administrator"),
        ("13.1.0.411", "1.3-rev2", "Backup Administrator"),
    ],
)
def test_every_revision_is_spoken(build, revision, role):
    with serve(build=build) as found, client_of(found) as client:
        assert client.revision == revision
        assert role is None or role in [one.name for one in client.roles()]


def test_an_operator_may_read_and_is_told_what_it_may_not(peer):  # noqa: F811
    with client_of(peer, "TECH\\reader") as operator:
        assert operator.revision == "1.3-rev2"
        with pytest.raises(VeeamRefused, match="Security Administrator"):
            list(operator.kms_servers())
