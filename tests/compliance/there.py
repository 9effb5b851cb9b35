"""A Veeam server on this machine, connected and read by the services, and what the analyzer says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from approvals.models import ApprovalRequest, State
from approvals.services import requests
from compliance.models import Finding
from compliance.services import analyzing
from encryption.crypto.secret import Secret
from encryption.models import Job, VeeamPassword, VeeamServer
from encryption.services.veeam import adoption, events, imports, reconciliation, servers
from tests.approvals.conftest import CUSTODY, People, answers, approve, work
from veeamsec.peer import Peer
from veeamsec.peer.accounts import Account


@dataclass(frozen=True)
class Line:
    """A line of syslog as the receiver takes it."""

    line: bytes
    at: datetime
    peer: str = "127.0.0.1"
    transport: str = "tls"


@dataclass
class House:
    """The server, and what beat and the receiver do between two steps."""

    people: People
    peer: Peer
    server: VeeamServer
    told: int = 0

    def read(self) -> None:
        """Read the server, take what it told meanwhile, and reconcile."""
        imports.run_import(self.server.pk)
        lines = [event.line for event in self.peer.control.events[self.told :]]
        self.told += len(lines)
        events.store([Line(line.encode(), datetime.now(UTC)) for line in lines])
        reconciliation.reconcile(self.server.pk)
        self.server.refresh_from_db()
        assert self.server.error == ""

    def adopt(self, hint: str) -> UUID:
        """Adopt the value of a password there, as the operator; return its id here."""
        password = VeeamPassword.objects.get(password__hint=hint).password_id
        typed = Secret(self.peer.control.password_value(hint).encode())
        adoption.prove(adoption.adopt(password, by=self.people.operator, typed=typed).pk)
        return password

    def change_password(self, hint: str, value: str) -> ApprovalRequest:
        """Adopt the value of a password there, and change it by a request that the DPO approves."""
        asked = self.ask("change_password", encryption_password=self.adopt(hint), new_password=value)
        done = work(approve(self.people.dpo, asked))
        assert done.state == State.EXECUTED, done.outcome
        return done

    def ask(self, kind: str, *, jobs: Sequence[str] = (), **fields: Any) -> ApprovalRequest:
        """Ask for something about passwords and jobs there, as the operator."""
        if jobs:
            fields["jobs"] = list(Job.objects.filter(name__in=jobs).values_list("pk", flat=True))
        given = {"reason": "As the plan says.", "custody": [CUSTODY], "answers": answers()}
        return requests.ask(kind, by=self.people.operator, **(given | fields))

    def analyzed(self) -> dict[str, Finding]:
        """Run every check, and return what each found."""
        return analyzed(self.people)


def analyzed(people: People) -> dict[str, Finding]:
    """Run every check, and return what each found."""
    done = analyzing.analyze(analyzing.ask(by=people.dpo).pk)
    return {finding.code: finding for finding in done.findings.all()}


def texts(finding: Finding) -> list[str]:
    """What a finding says of each thing that falls short."""
    return [line["text"] for line in finding.evidence]


def connect(people: People, peer: Peer, account: Account | None = None) -> House:
    """Connect a server, as the wizard does."""
    account = account or peer.account
    server = servers.connect(
        by=people.administrator,
        name="Main",
        address=peer.address,
        port=peer.port,
        account=account.name,
        thumbprint=peer.thumbprint,
        password=Secret(account.password.encode()),
    )
    return House(people, peer, server)
