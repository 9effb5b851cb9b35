"""A lost server: host B has its own keys, host A's repository, and texts that people carry. No database."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from audit import dsse
from encryption.crypto import keysets, providers
from encryption.crypto.encoding import canonical
from encryption.engines.native.protection import Guard, Protection
from recovery import armor, offline
from recovery.documents import exchange, identities
from recovery.errors import DoesNotOpen, ForAnother, OutOfTime
from tests.encryption.independent_reader import read_with
from tests.encryption.native.conftest import job, plain, roots, run, small, source  # noqa: F401
from tests.encryption.native.test_independent_reader import seen, told
from tests.encryption.native.tree import change, describe
from tests.recovery.private_half_reader import storage_key

PAIRS = {suite: keysets.generate(suite) for suite in (keysets.RSA, keysets.X_WING)}
ENTERPRISE = Ed25519PrivateKey.generate()


class Hosts:
    """Host A that wrote the backups, host B that asks, and an Enterprise Manager that answers by hand."""

    def __init__(self, tmp_path: Path, suite: str) -> None:
        self.keyset, self.pair = uuid4(), PAIRS[suite]
        self.lost = Ed25519PrivateKey.generate()
        self.protection = Protection(uuid4(), self.lost, (Guard(self.keyset, suite, self.pair.public),))
        self.keys = tmp_path / "b"
        providers.make_worker_keys(self.keys, tmp_path / "b-public")
        self.texts = tmp_path

    def announcement(self, key: Ed25519PrivateKey = ENTERPRISE) -> str:
        now = datetime.now(UTC)
        payload = identities.build_keyset(
            identities.Announcement(
                self.keyset,
                self.pair.suite,
                self.pair.public,
                "Winter",
                uuid4(),
                key.public_key().public_bytes_raw(),
                now,
                now + timedelta(weeks=4),
            )
        )
        return armor.write(
            armor.Kind.KEYSET, canonical(dsse.sign(payload, key, "", payload_type=identities.KEYSET_TYPE))
        )

    def answer(
        self, request: str, *, age: timedelta = timedelta(0), key: Ed25519PrivateKey = ENTERPRISE
    ) -> str:
        """What the Enterprise side does: open each line with the private half, seal to who asked."""
        signing = providers.load_server(self.keys).public_key()
        envelope = json.loads(armor.read(armor.Kind.REQUEST, request))
        asked, payload = exchange.open_request(envelope, signing)
        opens = keysets.opener(self.pair.suite, self.pair.private)
        keys = [
            exchange.OpenedKey(
                line.job, line.restore_point, line.storage_key, opens(line.wrapped, line.bound_to)
            )
            for line in asked.lines
        ]
        sealing = providers.load_server_seal(self.keys).public_key()
        sealed = exchange.seal_keys(keys, sealing, request=asked.request, server=asked.server)
        made = (datetime.now(UTC) - age).replace(microsecond=0)
        digest = hashlib.sha256(payload).hexdigest()
        response = exchange.Response(
            asked.request,
            digest,
            asked.nonce,
            asked.server,
            uuid4(),
            "C-1",
            sealed,
            made,
            made + timedelta(days=7),
        )
        signed = dsse.sign(exchange.build_response(response), key, "", payload_type=exchange.RESPONSE_TYPE)
        return armor.write(armor.Kind.RESPONSE, canonical(signed))


@pytest.fixture(params=list(PAIRS))
def hosts(request, tmp_path) -> Hosts:
    """Both suites."""
    return Hosts(tmp_path, request.param)


def test_files_are_equal_by_hash_on_another_host(hosts, job, source, run, tmp_path, settings):  # noqa: F811
    full = run(job, source, protection=hosts.protection)
    change(source.path)
    increment = run(job, source, base=full, protection=hosts.protection)
    settings.WORKER_KEYS = hosts.keys
    call_command("recovery_request", folder=job, reason="The server burnt.", to=tmp_path / "request.txt")
    request = (tmp_path / "request.txt").read_text()
    (tmp_path / "response.txt").write_text(hosts.answer(request).replace("\n", "\r\n> "))
    (tmp_path / "keyset.txt").write_text(hosts.announcement())
    call_command(
        "restore",
        "--from",
        str(job),
        "--restore-point",
        str(increment),
        "--to",
        str(tmp_path / "to"),
        "--response",
        str(tmp_path / "response.txt"),
        "--request",
        str(tmp_path / "request.txt"),
        "--keyset",
        str(tmp_path / "keyset.txt"),
    )
    assert describe(tmp_path / "to") == describe(source.path)


def test_a_reader_restores_from_the_private_half_alone(hosts, job, source, run):  # noqa: F811
    full = run(job, source, protection=hosts.protection)
    change(source.path)
    increment = run(job, source, base=full, protection=hosts.protection)

    def key_of(point: str) -> bytes:
        return storage_key(job, point, str(hosts.keyset), hosts.pair.private)

    assert told(read_with(job, str(increment), key_of)) == seen(source.path)


def test_a_response_without_its_request_is_refused(hosts, job, small, run, tmp_path, settings):  # noqa: F811
    run(job, small, protection=hosts.protection)
    settings.WORKER_KEYS = hosts.keys
    (tmp_path / "response.txt").write_text("x")
    with pytest.raises(CommandError, match="--request"):
        call_command(
            "restore",
            "--from",
            str(job),
            "--restore-point",
            str(uuid4()),
            "--to",
            str(tmp_path / "to"),
            "--response",
            str(tmp_path / "response.txt"),
        )


@pytest.fixture
def request_text(hosts, job, small, run) -> str:  # noqa: F811
    """A request for one small point."""
    run(job, small, protection=hosts.protection)
    return offline.make_request(job, hosts.keys, reason="Lost.")


def test_another_enterprise_managers_answer_is_refused(hosts, request_text):
    other = Ed25519PrivateKey.generate()
    with pytest.raises(Exception, match="signature"):
        offline.open_response(
            hosts.answer(request_text, key=other),
            request=request_text,
            keyset=hosts.announcement(),
            keys=hosts.keys,
        )


def test_an_expired_answer_is_refused(hosts, request_text):
    with pytest.raises(OutOfTime):
        offline.open_response(
            hosts.answer(request_text, age=timedelta(days=8)),
            request=request_text,
            keyset=hosts.announcement(),
            keys=hosts.keys,
        )


def test_an_answer_to_another_request_is_refused(hosts, request_text, job):  # noqa: F811
    other = offline.make_request(job, hosts.keys, reason="Lost again.")
    with pytest.raises(ForAnother):
        offline.open_response(
            hosts.answer(other), request=request_text, keyset=hosts.announcement(), keys=hosts.keys
        )


def test_another_servers_key_opens_no_answer(hosts, request_text, tmp_path):
    answer = hosts.answer(request_text)
    other = tmp_path / "c"
    providers.make_worker_keys(other, tmp_path / "c-public")
    (other / "server-seal.key").replace(hosts.keys / "server-seal.key")
    with pytest.raises(DoesNotOpen):
        offline.open_response(answer, request=request_text, keyset=hosts.announcement(), keys=hosts.keys)
