"""One walk from the first look to the last line of the reconciliation, at a server that answers as Veeam."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.core.cache import cache

from approvals.models import State
from approvals.services import requests
from audit.models import Alarm
from encryption import badge
from encryption.crypto.secret import Secret
from encryption.models import Drift, Job, Reconciled, VeeamDifference, VeeamEvent, VeeamServer
from encryption.services.veeam import adoption, events, imports, reconciliation, servers
from tests.approvals.conftest import approve, work
from tests.approvals.veeam.conftest import OTHER, ask_for, job_named, the_password
from veeamsec.peer import Peer, serve

__all__ = ["ask_for"]

pytestmark = pytest.mark.django_db

STANDARD, SOMEBODY = "Password 00", r"TECH\night.shift"


@dataclass(frozen=True)
class Line:
    """A line of syslog as the receiver takes it."""

    line: bytes
    at: datetime
    peer: str = "127.0.0.1"
    transport: str = "udp"


@pytest.fixture
def peer() -> Iterator[Peer]:
    cache.clear()
    with serve("large", jobs=60, points=120) as found:
        for name in found.control.jobs()[10:]:
            model = found.control.job_model(name)
            if model["storage"]["advancedSettings"]["storageData"]["encryption"]["isEnabled"]:
                found.control.somebody_switches_off(name)
        found.control.at.sender.events.clear()
        yield found


@pytest.fixture
def server(people, roster, peer) -> VeeamServer:
    return servers.connect(
        by=people.administrator,
        name="Main",
        address=peer.address,
        port=peer.port,
        account=peer.account.name,
        thumbprint=peer.thumbprint,
        password=Secret(peer.account.password.encode()),
    )


@dataclass
class House:
    """The server, and what beat and the receiver do between two steps."""

    server: VeeamServer
    peer: Peer
    told: int = 0

    def later(self) -> None:
        """A reading, what was told meanwhile, and where it all belongs."""
        imports.run_import(self.server.pk)
        lines = [event.line for event in self.peer.control.events[self.told :]]
        self.told += len(lines)
        events.store([Line(line.encode(), datetime.now(UTC)) for line in lines])
        reconciliation.reconcile(self.server.pk)

    def signs(self, names: list[str]) -> set[badge.State]:
        return {badge.badge(job_named(name)).state for name in names}


def exceptions(house: House) -> list[Reconciled]:
    return list(Reconciled.objects.filter(request=None, owner=None).select_related("event", "drift"))


def explained(people, drift: Drift) -> None:
    asked = requests.ask("explain_drift", by=people.administrator, reason="By the book.", drift=drift.pk)
    assert work(approve(people.ciso, asked)).state == State.EXECUTED


def test_from_the_first_look_to_a_complete_reconciliation(people, peer, server, ask_for):
    """P2, P10: everything that happened at the server belongs to a request, or is an exception by name."""
    house = House(server, peer)
    house.later()
    assert Job.objects.count() == 60
    peer.control.somebody_changes_password(STANDARD, by=SOMEBODY, value="what-Nobody-told-88")
    house.later()
    drift = Drift.objects.get(closed_at=None, what=Drift.What.VEEAM_PASSWORD_CHANGED)
    assert "night.shift" in str(drift.found)
    assert Alarm.objects.filter(kind="drift", state="raised").exists()
    explained(people, drift)
    typed = Secret(b"what-Nobody-told-88")
    adoption.prove(adoption.adopt(drift.password_id, by=people.operator, typed=typed).pk)
    house.later()
    rows = Job.objects.filter(password=None).order_by("name").values_list("name", flat=True)
    names = list(rows[:40])
    request = ask_for("activate_encryption", *names, encryption_password=drift.password_id)
    assert work(approve(people.dpo, request)).state == State.EXECUTED
    house.later()
    change = ask_for("change_password", encryption_password=drift.password_id, new_password=OTHER)
    assert work(approve(people.ciso, change)).state == State.EXECUTED
    for name in names:
        peer.control.run_job(name)
    house.later()
    assert house.signs(names) == {badge.State.APPROVED_FROM}
    hint = the_password(job_named(names[0])).hint
    peer.control.somebody_changes_password(hint, by=SOMEBODY)
    house.later()
    assert house.signs(names) == {badge.State.DRIFT}
    again = Drift.objects.get(closed_at=None, what=Drift.What.VEEAM_PASSWORD_CHANGED)
    explained(people, again)
    house.later()
    assert house.signs(names) == {badge.State.UNAPPROVED}
    assert VeeamEvent.objects.filter(reconciled=None).count() == 0
    assert VeeamDifference.objects.filter(reconciled=None).count() == 0
    left = [row for row in exceptions(house) if row.drift is None or row.drift.explained_by is None]
    assert [(row.event.number, row.why) if row.event else row.why for row in left] == []
