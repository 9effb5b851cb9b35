"""One job's step of an approved change at a Veeam server: obeyed, read back, proved (P5, P11).

Veeam has no lock and no all or nothing: every step reads how far things had come from Veeam itself, writes a
whole job only over the very text that it read, and trusts nothing but what it reads afterwards.
"""

import copy
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from encryption import order as orders
from encryption import rules, selectors
from encryption.engines.veeam import blocks
from encryption.engines.veeam.blocks import Block
from encryption.engines.veeam.client import VeeamClient
from encryption.errors import EngineError, ProofFailed, StaleOrder, VeeamBusy, VeeamGone
from encryption.models import RekeyJob, VeeamJob, VeeamServer
from encryption.services import leases
from encryption.services.veeam import plans, reading, servers, values
from encryption.services.veeam.values import There

CHANGE, DEACTIVATE = "change", "deactivate"
_DESCRIPTION = "description"


def obey(step: RekeyJob, order: orders.Order, target: orders.Target, lease: leases.Lease) -> dict[str, Any]:
    """Bring one job to what its order says, or find it there; return the proof. Raises EngineError."""
    job = _job_of(step)
    if order.server is None or dict(order.server) != selectors.facts_of_server(job.server):
        raise StaleOrder("Address or certificate of the server are not those that were approved.")
    with servers.client_for(job.server) as client:
        servers.check_identity(job.server, client.server_info().vbr_id)
        there = _value(client, job.server, step, order.action)
        lease.renew()
        others: list[str] = []
        if order.action != CHANGE:
            others = _bring(client, job, target, there, order.note)
        return _prove(client, job, order, there, others)


def found(step: RekeyJob, target: orders.Target) -> str | None:
    """Return the fingerprint that a job has at Veeam now, None while it cannot be read.

    Of a job that is gone there, nothing was changed: it has the one that it had.
    """
    job = _job_of(step)
    try:
        with servers.client_for(job.server) as client:
            try:
                model = client.job(job.external)
            except VeeamGone:
                return target.old_fingerprint
            return _fingerprint(client, job.server, blocks.blocks(model), None)
    except (EngineError, OSError):
        return None


def _job_of(step: RekeyJob) -> VeeamJob:
    return VeeamJob.objects.select_related("server__repository", "job").get(job=step.job_id)


def _value(client: VeeamClient, server: VeeamServer, step: RekeyJob, action: str) -> There | None:
    """Return the password that the job is to have, as it stands at Veeam; None where it is to have none."""
    if action == DEACTIVATE:
        return None
    version = step.rekey.version
    if version is None:
        raise StaleOrder("The order names no password.")
    return (values.changed if action == CHANGE else values.present)(client, server, version)


def _bring(
    client: VeeamClient, job: VeeamJob, target: orders.Target, there: There | None, note: str
) -> list[str]:
    """Write the job's encryption, and nothing else; return what else reads otherwise afterwards.

    Raises StaleOrder for a state that was not approved, VeeamBusy where somebody edits the job.
    """
    model = client.job(job.external)
    places = blocks.blocks(model)
    wanted = [_wanted(place, there) for place in places]
    if not places:
        raise StaleOrder("Veeam does not encrypt in jobs of this type.")
    if all(map(_same, places, wanted)):
        return []
    if _fingerprint(client, job.server, places, there) != target.old_fingerprint:
        raise StaleOrder("The encryption of this job is neither the one that was approved nor its successor.")
    patched = model
    for place in wanted:
        patched = blocks.patched(patched, place.path, place)
    if note and isinstance(patched.get(_DESCRIPTION), str):
        patched = {**patched, _DESCRIPTION: plans.numbered(patched[_DESCRIPTION], note)}
    if client.job(job.external) != model:
        raise VeeamBusy("Somebody is editing this job at Veeam; their change comes first.")
    client.put_job(job.external, patched)
    return _differences(patched, client.job(job.external), wanted)


def _wanted(place: Block, there: There | None) -> Block:
    if there is None:
        return Block(path=place.path, enabled=False, kind="none", password=None, kms=None)
    if there.is_kms:
        return Block(path=place.path, enabled=True, kind="kms", password=None, kms=there.external)
    return Block(path=place.path, enabled=True, kind="password", password=there.external, kms=None)


def _same(place: Block, wanted: Block) -> bool:
    if not wanted.enabled:
        return not place.enabled
    return (place.enabled, place.kind, place.password, place.kms) == (
        wanted.enabled,
        wanted.kind,
        wanted.password,
        wanted.kms,
    )


def _differences(sent: dict[str, Any], back: dict[str, Any], wanted: Sequence[Block]) -> list[str]:
    """Return the names of fields outside encryption that do not read as they were written."""
    for place in wanted:
        sent, back = _without(sent, place.path), _without(back, place.path)
    return sorted(name for name in sent.keys() | back.keys() if sent.get(name) != back.get(name))


def _without(model: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a model without one of its places of encryption."""
    bare = copy.deepcopy(model)
    *parents, last = path.split("/")[1:]
    inside: Any = bare
    for name in parents:
        inside = inside[int(name)] if isinstance(inside, list) else inside.get(name, {})
    inside.pop(last, None)
    return bare


def _prove(
    client: VeeamClient, job: VeeamJob, order: orders.Order, there: There | None, others: list[str]
) -> dict[str, Any]:
    """Read the job back. Raises ProofFailed where it is not as ordered."""
    places = blocks.blocks(client.job(job.external))
    live = [place for place in places if place.enabled]
    right = [place for place in places if _same(place, _wanted(place, there))]
    # A change leaves alone what the job encrypts with other passwords besides.
    done = bool(right) if order.action == CHANGE else len(right) == len(places)
    if not done or (there is not None and not live):
        raise ProofFailed("The job was read back, and its encryption is not the one that was ordered.")
    proof: dict[str, Any] = {
        "blocks": [reading.as_json(place) for place in places],
        "engine": "veeam",
        "fingerprint": _fingerprint(client, job.server, places, there),
        "job": str(job.external),
        "modified_at": None,
        "new_opens": None,
        # A wrong value is never tried to prove a point: Veeam counts it.
        "old_refused": None,
        "others": others,
        "password": None,
        "read_back_at": f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}",
        "server": dict(order.server or {}),
        "user_key": str(order.password_version) if order.password_version else None,
    }
    if there is not None:
        modified = there.modified_at
        proof |= {
            "modified_at": f"{modified:%Y-%m-%dT%H:%M:%S.%fZ}" if modified else None,
            "new_opens": there.verified,
            "password": str(there.external),
        }
    return proof


def _fingerprint(
    client: VeeamClient, server: VeeamServer, places: Sequence[Block], there: There | None
) -> str:
    named: set[UUID] = {place.password for place in places if place.enabled and place.password}
    modified = {
        str(name): there.modified_at
        if there is not None and there.external == name
        else client.password(name).modified_at
        for name in named
    }
    return rules.veeam_fingerprint(server.pk, [reading.as_json(place) for place in places], modified)
