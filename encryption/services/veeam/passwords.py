"""Encryption passwords and KMS servers of a Veeam server, as read, compared with what the last poll saw."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from audit.alarms import Kind
from audit.services.alarms import resolve_alarm_within
from encryption import selectors
from encryption.engines.veeam.client import VeeamClient
from encryption.errors import EngineError
from encryption.models import (
    Drift,
    EncryptionPassword,
    PasswordVersion,
    VeeamDifference,
    VeeamJob,
    VeeamPassword,
    VeeamServer,
)
from encryption.services import vault
from encryption.services.veeam import drifting, proving, versions
from encryption.services.veeam.explaining import Explaining
from encryption.services.veeam.reading import PasswordRead, Reading, time_text

What = VeeamDifference.What
_VALUE = (Drift.What.VEEAM_PASSWORD_CHANGED, Drift.What.VEEAM_METADATA)

# What was read of the encryption of each of our jobs.
Blocks = Mapping[UUID, Iterable[Mapping[str, Any]]]


@dataclass(slots=True)
class Noting:
    """What one note of a reading works with."""

    server: VeeamServer
    reading: Reading
    explaining: Explaining
    blocks: Blocks
    # Our ids of known jobs by theirs.
    ids: Mapping[UUID, UUID]
    # Of passwords whose time moved: the version whose value they still have, as Veeam itself verified.
    proved: Mapping[UUID, PasswordVersion]
    # When the oldest restore point was made that each password may open, where that is known.
    oldest: Mapping[UUID, datetime] = field(default_factory=dict)
    differences: list[VeeamDifference] = field(default_factory=list)
    drifts: dict[UUID, list[Drift]] = field(default_factory=dict)
    touched: dict[UUID, drifting.Thing] = field(default_factory=dict)

    @property
    def is_first(self) -> bool:
        """Whether nothing was known of this server: what is found then is no difference."""
        return self.server.imported_at is None

    def is_newer(self, row: VeeamPassword | VeeamJob) -> bool:
        """Say whether what a row holds was read after this reading began, by another one or a step."""
        return max(row.seen_at, row.gone_at or row.seen_at) > self.reading.began_at

    def differ(self, what: VeeamDifference.What, thing: drifting.Thing, *states: Any, **more: Any) -> None:
        """Write a difference."""
        self.differences.append(drifting.differ_within(self.server, what, thing, *states, **more))

    def drift(self, what: Drift.What, thing: drifting.Thing, found: Mapping[str, Any]) -> None:
        """Open a drift, in place of others of this thing that it makes obsolete."""
        drift = drifting.open_within(what, thing, found)
        mine = self.drifts.setdefault(thing.pk, [])
        if drift not in mine:
            mine.append(drift)
        self.touched[thing.pk] = thing

    def close(self, thing: drifting.Thing, *kinds: str) -> None:
        """Close the open drifts of a thing; of these kinds only, where some are named."""
        mine = self.drifts.get(thing.pk, [])
        gone = [drift for drift in mine if not kinds or drift.what in kinds]
        if gone:
            drifting.close_within(gone)
            self.drifts[thing.pk] = [drift for drift in mine if drift not in gone]
            self.touched[thing.pk] = thing


def prove_moved(
    client: VeeamClient, server: VeeamServer, reading: Reading, explaining: Explaining, blocks: Blocks
) -> dict[UUID, PasswordVersion]:
    """Ask Veeam whether passwords whose time moved still have a value that is held here.

    A request's own change needs no proof. What cannot be verified counts as changed.
    """
    proved: dict[UUID, PasswordVersion] = {}
    for row in VeeamPassword.objects.filter(server=server, is_kms=False).select_related("password"):
        one = reading.passwords.get(row.external)
        if one is None or not row.polled or row.password_id in explaining.busy_passwords:
            continue
        held = versions.newest_held(row.password) if _moved(row, one) else None
        if held is None or explaining.version_of(row.password_id, one.modified_at, blocks):
            continue
        try:
            same = _has_value(client, server, one, held)
        except EngineError:
            same = False
        if same:
            proved[row.password_id] = held
    return proved


def _has_value(client: VeeamClient, server: VeeamServer, one: PasswordRead, held: PasswordVersion) -> bool:
    if not proving.can_verify(client):
        return False
    with proving.alone(server.pk, one.external), vault.password_of(held) as secret:
        return proving.holds(client, server.pk, one.external, secret, version=held.pk, since=one.modified_at)


def note_within(noting: Noting) -> dict[UUID, UUID]:
    """Write what was read of the passwords; returns our id of each password by its id there."""
    rows = VeeamPassword.objects.filter(server=noting.server).select_related("password")
    known = {row.external: row for row in rows}
    awaited = selectors.awaited_hints(noting.server.pk)
    for one in noting.reading.passwords.values():
        row = known.get(one.external)
        if row is None:
            # One that a step under way is about to make is the step's to write down.
            if one.hint not in awaited:
                known[one.external] = _add(noting, one)
        elif row.password_id not in noting.explaining.busy_passwords and not noting.is_newer(row):
            _compare(noting, row, one)
    for row in known.values():
        if row.external not in noting.reading.passwords and not noting.is_newer(row):
            _note_absent(noting, row)
    for external in sorted(_named_by_jobs(noting) - known.keys() - noting.reading.passwords.keys()):
        known[external] = _add_unlisted(noting, external)
    seen = VeeamPassword.objects.filter(server=noting.server, external__in=noting.reading.passwords)
    seen.filter(seen_at__lt=noting.reading.began_at).update(seen_at=noting.reading.began_at)
    return {external: row.password_id for external, row in known.items()}


def _named_by_jobs(noting: Noting) -> set[UUID]:
    busy = noting.explaining.busy_jobs
    jobs = [job for job in noting.reading.jobs.values() if noting.ids.get(job.external) not in busy]
    named = (external_of(block) for job in jobs for block in job.blocks)
    return {external for external in named if external is not None}


def external_of(block: Mapping[str, Any]) -> UUID | None:
    """Return the id there of the password, or KMS server, that a block encrypts with; None where it is off.

    A block that is on and names none has the zero id, which stands for a password that is not listed.
    """
    if not block["enabled"]:
        return None
    return UUID(str(block["kms" if block["kind"] == "kms" else "password"] or UUID(int=0)))


def _add(noting: Noting, one: PasswordRead) -> VeeamPassword:
    password = EncryptionPassword.objects.create(hint=one.hint, created_at=noting.reading.began_at)
    row = VeeamPassword(
        password=password, server=noting.server, external=one.external, seen_at=noting.reading.began_at
    )
    _write(row, one)
    row.save(force_insert=True)
    versions.first_within(password, one.modified_at, oldest=noting.oldest.get(one.external))
    if not noting.is_first:
        _note_added(noting, row, one)
    return row


def _note_added(noting: Noting, row: VeeamPassword, one: PasswordRead) -> None:
    what = What.KMS_ADDED if row.is_kms else What.PASSWORD_ADDED
    noting.differ(what, row.password, {}, _state(one), happened_at=one.modified_at)
    if noting.explaining.maker_of(row.password_id) is None:
        noting.drift(Drift.What.VEEAM_PASSWORD_ADDED, row.password, {"found": _state(one)})


def _add_unlisted(noting: Noting, external: UUID) -> VeeamPassword:
    """Stand in for a password that jobs name and Veeam does not list: encrypted, with what nobody knows."""
    hint = "A password that Veeam does not list"
    password = EncryptionPassword.objects.create(hint=hint, created_at=noting.reading.began_at)
    versions.first_within(password, None)
    return VeeamPassword.objects.create(
        password=password,
        server=noting.server,
        external=external,
        unique_id=str(uuid5(noting.server.pk, str(external))),
        seen_at=noting.reading.began_at,
        gone_at=noting.reading.began_at,
    )


def _compare(noting: Noting, row: VeeamPassword, one: PasswordRead) -> None:
    """Compare a password with what the last poll saw of it, and open or close its drifts."""
    if not row.polled:
        # A step of ours made it, or a job named it before it was listed.
        _note_added(noting, row, one)
    elif _moved(row, one):
        _note_moved(noting, row, one)
    else:
        _reconsider(noting, row, one)
    if row.polled and row.polled.get("hint") != one.hint:
        noting.differ(What.PASSWORD_HINT, row.password, {"hint": row.polled.get("hint")}, {"hint": one.hint})
        row.password.hint = one.hint
        row.password.save(update_fields=["hint"])
    if row.polled != _state(one) or row.gone_at is not None:
        _write(row, one)
        row.gone_at = None
        row.save()


def _note_moved(noting: Noting, row: VeeamPassword, one: PasswordRead) -> None:
    password = row.password
    before, after = dict(row.polled), _state(one)
    ours = None
    if not row.is_kms:
        ours = noting.explaining.version_of(password.pk, one.modified_at, noting.blocks)
    proved = noting.proved.get(password.pk)
    found = {"expected": before.get("modified_at"), "found": after["modified_at"]}
    if ours is not None:
        if ours.in_force_from != one.modified_at:
            versions.begin_within(ours, one.modified_at)
        noting.close(password, *_VALUE)
    elif proved is not None:
        if versions.in_force(password) != proved:
            versions.following_within(password, one.modified_at, value=proved)
        after["same_value"] = True
        noting.close(password, Drift.What.VEEAM_PASSWORD_CHANGED)
        noting.drift(Drift.What.VEEAM_METADATA, password, found)
    else:
        if not row.is_kms:
            versions.following_within(password, one.modified_at)
        noting.close(password, Drift.What.VEEAM_METADATA)
        noting.drift(Drift.What.VEEAM_PASSWORD_CHANGED, password, found)
    what = What.KMS_CHANGED if row.is_kms else What.PASSWORD_CHANGED
    noting.differ(what, password, before, after, happened_at=one.modified_at)


def _reconsider(noting: Noting, row: VeeamPassword, one: PasswordRead) -> None:
    """Close what a request explains by now: its step may have ended after the change was seen."""
    for drift in list(noting.drifts.get(row.password_id, ())):
        if drift.what in _VALUE:
            version = noting.explaining.version_of(row.password_id, one.modified_at, noting.blocks)
            explained = version is not None and not row.is_kms
        elif drift.what == Drift.What.VEEAM_PASSWORD_ADDED:
            explained = noting.explaining.maker_of(row.password_id) is not None
        else:
            # Deleted, and listed again.
            explained = True
        if explained:
            noting.close(row.password, drift.what)


def _note_absent(noting: Noting, row: VeeamPassword) -> None:
    """Note a password that is listed no more; an executed request says itself that it is deleted."""
    if row.is_kms and "kms" in noting.reading.unread:
        return
    if row.gone_at is None and row.password_id not in noting.explaining.busy_passwords:
        row.gone_at = noting.reading.began_at
        row.save(update_fields=["gone_at"])
        resolve_alarm_within(Kind.VEEAM_ADOPTION_FAILED, row.password)
        what = What.KMS_DELETED if row.is_kms else What.PASSWORD_DELETED
        noting.differ(what, row.password, dict(row.polled), {"gone": True})
        if row.password.deleted_at is None:
            noting.drift(Drift.What.VEEAM_PASSWORD_DELETED, row.password, {"expected": dict(row.polled)})
    elif row.password.deleted_at is not None:
        noting.close(row.password)


def _write(row: VeeamPassword, one: PasswordRead) -> None:
    row.unique_id, row.modified_at = one.unique_id, one.modified_at
    row.is_kms, row.is_imported = one.is_kms, one.is_imported
    row.polled = _state(one)


def _state(one: PasswordRead) -> dict[str, Any]:
    """Return what counts of a password: of a KMS server also the certificate by which it is known."""
    state = {"hint": one.hint, "modified_at": time_text(one.modified_at)}
    return state | {"certificate": one.unique_id} if one.is_kms else state


def _moved(row: VeeamPassword, one: PasswordRead) -> bool:
    now = _state(one)
    return any(row.polled.get(name) != now.get(name) for name in ("modified_at", "certificate"))
