"""What must be so of requests, passwords and badges after every step: P1, P2, P5 to P13."""

import hashlib
from datetime import timedelta
from uuid import UUID

from approvals import selectors as requests
from approvals.models import RequestTarget, State
from encryption import selectors
from encryption.badge import State as Sign
from encryption.engines.registry import engine_for
from encryption.models import RekeyJob
from encryption.services import vault
from tests.machine.census import PASSWORDS, askers, said_by
from tests.machine.sight import Sight

OPEN = (State.PENDING, State.APPROVED)
ENDS = {
    State.EXECUTED: "request.executed",
    State.FAILED: "request.failed",
    State.LAPSED: "request.lapsed",
    State.STALE: "request.stale",
    State.REJECTED: "request.rejected",
    State.WITHDRAWN: "request.withdrawn",
    State.EXPIRED: "request.expired",
}


def votes_are_others(sight: Sight) -> None:
    """P1, P7, P8: never one's own request, one vote a person, humans alone, on the text that stands."""
    seen = set()
    for vote in sight.votes:
        request = sight.requests[vote.request_id]
        assert vote.person_id == vote.voter.person_id
        assert vote.person_id not in (request.asker_person_id, request.asker.person_id)
        assert str(vote.person_id) not in askers(said_by(request))
        assert vote.capacity == "security" or request.kind in PASSWORDS
        assert request.created_at <= vote.cast_at < request.decide_by
        assert vote.voter.is_human
        assert vote.digest == request.digest
        assert (request.pk, vote.person_id) not in seen
        seen.add((request.pk, vote.person_id))


def nothing_takes_effect_undecided(sight: Sight) -> None:
    """P2, P5, P6: each re-key has its approved request, by another person, on the text that stands."""
    for rekey in sight.rekeys.values():
        request = sight.requests[rekey.request]
        assert request.rekey_id == rekey.pk
        assert request.state in (State.APPROVED, State.EXECUTED, State.FAILED)
        assert hashlib.sha256(bytes(request.statement)).hexdigest() == request.digest
        assert sight.others_consent(request) >= request.policy["quorum"] >= 1
        assert not sight.votes_of(request.pk, verdict="reject")
    ordered = {rekey.version_id for rekey in sight.rekeys.values()}
    assert {version.pk for version in sight.versions} <= ordered
    activated = {
        step.job_id
        for step in sight.steps
        if step.state == RekeyJob.State.SUCCEEDED and sight.rekeys[step.rekey_id].action == "activate"
    }
    assert {job.pk for job in sight.jobs if job.password_id} <= activated


def time_never_approves(sight: Sight) -> None:
    """P6: what is overdue is open to nobody, and no state is reached without its votes."""
    for request in sight.requests.values():
        if request.state == State.PENDING and sight.now >= request.decide_by:
            assert requests.state_at(request) == State.EXPIRED
        if request.state in (State.APPROVED, State.EXECUTED):
            assert request.decided_at < request.decide_by
            assert sight.others_consent(request)


def one_request_a_target(sight: Sight) -> None:
    """P7, P9: targets are held by open requests alone, one each; an ended one keeps no secret."""
    held = RequestTarget.objects.filter(open=True).values_list("type", "ref", "request")
    assert len({target[:2] for target in held}) == len(held)
    open_ones = {row.pk for row in sight.requests.values() if row.state in OPEN}
    assert {request for _, _, request in held} <= open_ones
    secrets = {row.pk for row in sight.requests.values() if row.sealed_secret is not None}
    assert secrets <= open_ones


def badge_never_overclaims(sight: Sight) -> None:
    """P10: full only by another Security member, executed, on the key that lies there, for every point."""
    for job in sight.jobs:
        sign = sight.badges[job.pk]
        if sign.state not in (Sign.APPROVED, Sign.APPROVED_FROM, Sign.NEXT_RUN):
            continue
        attested = sight.attestations[sign.attestation_id]
        (request,) = [row for row in sight.requests.values() if row.rekey_id == attested.rekey_id]
        # By the count that the machine made itself when the worker began.
        assert sight.sanctioned[request.pk]
        assert sight.others_consent(request, capacity="security")
        assert attested.fingerprint == sign.fingerprint == job.observed_fingerprint
        assert sight.now - job.observed_at <= timedelta(hours=24)
        (step,) = [row for row in sight.steps if (row.rekey_id, row.job_id) == (attested.rekey_id, job.pk)]
        assert step.state == RekeyJob.State.SUCCEEDED
        if sign.state == Sign.APPROVED:
            assert all(point.password_version_id for point in sight.points if point.job_id == job.pk)
            assert not job.full_next


def the_log_tells(sight: Sight) -> None:
    """P12: each transition and each vote is one entry, and no more than one."""
    for request in sight.requests.values():
        subject = str(request.pk)
        was_approved = request.state in (State.APPROVED, State.EXECUTED, State.FAILED, State.LAPSED)
        assert sight.told["request.created", subject] == 1
        assert was_approved <= sight.told["request.approved", subject] <= 1
        assert sight.told["vote.cast", subject] == len(sight.votes_of(request.pk))
        for state, event in ENDS.items():
            assert sight.told[event, subject] == (request.state == state)


def history_stays(sight: Sight, seen: dict[str, int]) -> None:
    """P13: nothing that was there before is gone."""
    counts = {
        "entries": sum(sight.told.values()),
        "requests": len(sight.requests),
        "votes": len(sight.votes),
        "re-keys": len(sight.rekeys),
        "attestations": len(sight.attestations),
        "versions": len(sight.versions),
        "seats": len(sight.seats),
        "offices": len(sight.grants),
        "suspensions": len(sight.suspensions),
        "voices": len(sight.voices),
        "rosters": len(sight.rosters),
        "policies": len(sight.policies),
    }
    for name, count in counts.items():
        assert count >= seen.get(name, 0)
    seen.update(counts)


def texts_stay(sight: Sight, texts: dict[UUID, tuple[object, ...]]) -> None:
    """P5, P6: what was asked, under which rules and until when, stands as it was made."""
    for request in sight.requests.values():
        said = said_by(request)
        assert {**request.policy} == said["policy"]
        text = request.digest, bytes(request.statement), request.decide_by, request.created_at
        assert texts.setdefault(request.pk, text) == text


def one_password_opens(sight: Sight, proved: dict[UUID, str]) -> None:
    """P11: a keyring that nobody swapped answers to exactly one version, and all of it."""
    for job in sight.jobs:
        engine = engine_for(job.repository)
        head = engine.head(job.pk)
        if head is None or (sight.world.folder(job) / "kept").exists():
            continue
        state = f"{head.fingerprint} {len(engine.observe(job.pk).key_lines)}"
        if proved.get(job.pk) == state:
            continue
        roots = [vault.root_of(version) for version in sight.versions if version.erased_at is None]
        opening = [root for root in roots if head.commits_to(root)]
        assert len(opening) == 1
        assert not engine.observe(job.pk, lambda _head, root=opening[0]: root).damage
        known = selectors.version_of_user_key(job.pk, head.user_key)
        assert known is not None
        assert vault.root_of(known) == opening[0]
        proved[job.pk] = state


EVERY_STEP = (
    votes_are_others,
    nothing_takes_effect_undecided,
    time_never_approves,
    one_request_a_target,
    badge_never_overclaims,
    the_log_tells,
)
