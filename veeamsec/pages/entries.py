"""Entries of the log in human words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from accounts.models import User
from audit.events import Event
from audit.models import Entry
from audit.statement import SYSTEM
from encryption.models import Job

# Event → icon, tone, what happened.
_PLAIN = ("circle-check", "")
WORDS: dict[str, tuple[str, str, str]] = {
    Event.ATTEMPT_REFUSED: ("ban", "refuse", "An attempt was refused"),
    Event.ANONYMOUS_REFUSED: ("ban", "refuse", "Somebody unknown was refused"),
    Event.MESSAGE_REFUSED: ("ban", "refuse", "A message was refused"),
    Event.ALARM_RAISED: ("bell", "refuse", "An alarm was raised"),
    Event.ALARM_ACKNOWLEDGED: ("bell", "", "An alarm was seen"),
    Event.ALARM_CLOSED: ("bell", "", "An alarm ended"),
    Event.NAMES_ERASED: ("trash", "", "Names were erased"),
    Event.LOG_ROLLBACK_ACKNOWLEDGED: (
        "alert-triangle",
        "wait",
        "That the database is older was taken note of",
    ),
    Event.SELF_BACKED_UP: ("database", "", "VeeamSec itself was backed up"),
    Event.SELF_RESTORED: ("restore", "wait", "VeeamSec itself was restored"),
    Event.MASTER_KEY_ROTATING: ("key", "wait", "A new master key took the place of the former"),
    Event.MASTER_KEY_ROTATED: ("key", "", "Everything was sealed anew under the new master key"),
    Event.MASTER_KEY_DESTROYED: ("trash", "", "The former master key was destroyed"),
    Event.FORWARDER_MADE: ("arrow-right", "", "A forwarder of the log was made"),
    Event.FORWARDER_CHANGED: ("arrow-right", "", "A forwarder of the log was changed"),
    Event.FORWARDER_STOPPED: ("x", "wait", "A forwarder of the log was stopped"),
    Event.FORWARDER_RESUMED: ("arrow-right", "", "A forwarder of the log sends again"),
    Event.FORWARDER_TESTED: ("arrow-right", "", "A forwarder of the log was tried"),
    Event.REQUEST_CREATED: ("inbox", "", "A request was made"),
    Event.REQUEST_APPROVED: ("user-check", "seal", "A request was approved"),
    Event.REQUEST_REJECTED: ("x", "refuse", "A request was rejected"),
    Event.REQUEST_WITHDRAWN: ("x", "", "A request was withdrawn"),
    Event.REQUEST_EXPIRED: ("clock", "", "A request expired; nothing changed"),
    Event.REQUEST_LAPSED: ("clock", "", "An approval lapsed; nothing changed"),
    Event.REQUEST_STALE: ("alert-triangle", "wait", "A request went stale; nothing changed"),
    Event.REQUEST_EXECUTED: ("check", "", "A request was executed"),
    Event.REQUEST_FAILED: ("alert-circle", "refuse", "An execution failed; nothing changed"),
    Event.VOTE_CAST: ("user-check", "", "A person decided"),
    Event.POLICY_CHANGED: ("list-check", "", "The policy was changed"),
    Event.BADGE_ATTESTED: ("rosette-discount-check", "seal", "The evidence behind a badge was signed"),
    Event.EVIDENCE_EXPORTED: ("file-certificate", "", "Evidence was exported"),
    Event.REKEY_STARTED: ("refresh", "", "A re-key began"),
    Event.REKEY_INTENT: ("refresh", "", "The worker is about to replace a key file"),
    Event.REKEY_JOB_DONE: ("key", "seal", "A job was re-keyed and proved"),
    Event.REKEY_JOB_FAILED: ("alert-circle", "refuse", "A re-key failed; nothing changed"),
    Event.REKEY_ENDED: ("refresh", "", "A re-key ended"),
    Event.ENCRYPTION_ACTIVATED: ("lock", "", "Encryption was activated"),
    Event.ENCRYPTION_DEACTIVATED: ("lock-open", "wait", "Encryption was deactivated"),
    Event.PASSWORD_VERSION_CREATED: ("key", "", "A new version of a password was sealed"),
    Event.PASSWORD_DELETED: ("trash", "", "A password was deleted"),
    Event.PASSWORD_VERSION_ERASED: ("trash", "", "A version of a password was erased"),
    Event.SECRET_ERASED: ("trash", "", "A sealed secret was erased"),
    Event.CUSTODY_STATED: ("list-check", "", "Who holds a password was stated"),
    Event.CUSTODY_PROVED: ("shield-check", "seal", "A custodian proved that they hold a password"),
    Event.PASSWORD_RELEASED: ("key", "wait", "A password was released to a custodian"),
    Event.RELEASE_TAKEN: ("key", "wait", "A custodian read a released password"),
    Event.CUSTODY_FAILED: ("alert-circle", "wait", "What a custodian typed was not the password"),
    Event.PASSWORD_OFFERED: ("key", "", "The password of adopted jobs was offered"),
    Event.PASSWORD_PROVED: ("key", "seal", "The password of adopted jobs was proved"),
    Event.PASSWORD_NOT_PROVED: ("alert-circle", "wait", "What was offered does not open an adopted job"),
    Event.JOB_CREATED: ("server-2", "", "A job was made"),
    Event.JOB_CHANGED: ("server-2", "", "A job was changed"),
    Event.JOB_DELETED: ("trash", "", "A job was deleted"),
    Event.JOB_RUN: ("player-play", "", "A run was started"),
    Event.BACKUP_FINISHED: ("check", "", "A backup was made"),
    Event.BACKUP_FAILED: ("alert-circle", "refuse", "A backup failed"),
    Event.RESTORE_STARTED: ("restore", "", "A restore was started"),
    Event.RESTORE_FINISHED: ("restore", "", "A restore ended well"),
    Event.RESTORE_FAILED: ("alert-circle", "refuse", "A restore failed"),
    Event.RETENTION_DROPPED: ("trash", "", "Old restore points retired"),
    Event.DRIFT_FOUND: ("alert-circle", "refuse", "A change behind VeeamSec's back was found"),
    Event.DRIFT_CLOSED: ("check", "", "A change behind VeeamSec's back was undone"),
    Event.DRIFT_EXPLAINED: ("check", "", "A change behind VeeamSec's back was explained"),
    Event.REPOSITORY_CREATED: ("database", "", "A repository was named"),
    Event.REPOSITORY_CHANGED: ("database", "", "A repository was changed"),
    Event.REPOSITORY_DELETED: ("trash", "", "A repository was forgotten"),
    Event.VERIFY_FINISHED: ("shield-check", "", "Restore points were verified"),
    Event.VERIFY_FAILED: ("alert-circle", "refuse", "A verification failed"),
    Event.ACCESS_GRANTED: ("user-plus", "", "A right on one job or repository was granted"),
    Event.ACCESS_REVOKED: ("user-x", "", "A right on one job or repository was taken away"),
    Event.ADOPTION_STARTED: ("database", "", "A repository is being read for what is not on record"),
    Event.JOB_ADOPTED: ("server-2", "wait", "A job was found in a repository and put on record"),
    Event.POINTS_ADOPTED: ("database", "", "Restore points were found in a repository and put on record"),
    Event.POINTS_OPENED: ("key", "", "Adopted restore points were opened and placed in their chains"),
    Event.ADOPTION_ENDED: ("database", "", "A repository was read for what is not on record"),
    Event.VEEAM_CONNECTED: ("plug-connected", "", "A Veeam server was connected"),
    Event.VEEAM_CHANGED: ("refresh", "", "The connection to a Veeam server was changed"),
    Event.VEEAM_DISCONNECTED: ("x", "", "A Veeam server was disconnected"),
    Event.VEEAM_LOOKED_AT: ("search", "", "A server's certificate was looked at"),
    Event.VEEAM_IMPORTED: ("database", "", "A Veeam server was read for the first time"),
    Event.VEEAM_DIFFERENCE: ("alert-triangle", "wait", "Something at Veeam is not as it was"),
    Event.VEEAM_MODE_CHANGED: ("shield-lock", "", "How a Veeam server is held was changed"),
    Event.VEEAM_POINTS_GONE: ("trash", "", "Restore points are gone at Veeam"),
    Event.VEEAM_ANALYZED: ("list-check", "", "Veeam's own analyzer was started"),
    Event.VEEAM_RECEPTION_BEGUN: ("player-play", "", "The receiver of Veeam's events began to listen"),
    Event.VEEAM_RECEPTION_ENDED: ("x", "", "The receiver of Veeam's events ended"),
    Event.VEEAM_RECEPTION_GAP: ("alert-triangle", "wait", "Veeam's events were not received for a time"),
    Event.VEEAM_RECONCILED: ("list-check", "", "Veeam's events and changes were reconciled"),
    Event.VEEAM_EXCEPTION_ASSIGNED: ("user-check", "", "An exception at Veeam got its owner"),
    Event.VEEAM_EVENTS_CLAIMED: ("history", "", "Veeam's earlier events found their server"),
    Event.VEEAM_PASSWORD_SET: ("key", "", "A password was set at a Veeam server"),
    Event.VEEAM_PASSWORD_REMOVED: ("trash", "", "A password was removed at a Veeam server"),
    Event.VEEAM_PASSWORD_OFFERED: ("key", "", "A Veeam server's password was offered for adoption"),
    Event.VEEAM_PASSWORD_ADOPTED: ("key", "seal", "A Veeam server's password was proved and adopted"),
    Event.VEEAM_PASSWORD_REFUSED: (
        "alert-circle",
        "wait",
        "A Veeam server's password was not the one offered",
    ),
    Event.COVER_STARTED: ("shield-check", "", "Loss protection of existing restore points was started"),
    Event.COVER_FINISHED: ("shield-check", "", "Existing restore points are protected by a keyset"),
    Event.COVER_FAILED: ("alert-circle", "refuse", "Loss protection of existing restore points failed"),
    Event.KEYSET_WISHED: ("key", "", "A new keyset was asked for"),
    Event.KEYSET_GENERATED: ("key", "", "A keyset was generated"),
    Event.KEYSET_ACTIVATED: ("shield-lock", "seal", "A keyset was activated"),
    Event.KEYSET_TAKEN: ("key", "", "Another installation's keyset was taken"),
    Event.KEYSET_EXPORTED: ("key", "wait", "A keyset left the house under a passphrase"),
    Event.KEYSET_IMPORTED: ("key", "", "A keyset was imported"),
    Event.KEYSET_DELETED: ("key-off", "wait", "A keyset was deleted"),
    Event.ENTERPRISE_ORDERED: ("file-certificate", "", "The enterprise worker was given an order"),
    Event.ENTERPRISE_REFUSED: ("ban", "refuse", "The enterprise worker refused an order"),
    Event.SERVER_OFFERED: ("server-2", "", "A backup server was offered for registration"),
    Event.SERVER_REGISTERED: ("server-2", "seal", "A backup server was registered"),
    Event.SERVER_REVOKED: ("server-2", "wait", "A backup server was revoked"),
    Event.KEYSETS_AUTOMATIC: ("key", "", "Whether keysets are made by themselves was changed"),
    Event.SERVER_REVOCATION_WISHED: ("server-2", "wait", "A backup server is being revoked"),
    Event.CASE_MADE: ("forms", "", "A recovery request was made"),
    Event.CASE_RECEIVED: ("inbox", "", "A recovery request was received"),
    Event.CASE_ANSWERED: ("key", "wait", "A recovery request was answered: keys were opened"),
    Event.CASE_OPENED: ("key", "wait", "The keys of a recovery were opened"),
    Event.CASE_REFUSED: ("ban", "refuse", "A recovery was refused"),
    Event.ASSESSMENT_ASKED: ("list-check", "", "A run of the analyzer was asked for"),
    Event.ASSESSMENT_DONE: ("list-check", "", "The analyzer looked at everything"),
    Event.FINDING_SUPPRESSED: ("list-check", "wait", "A finding was suppressed until a day"),
    Event.REPORT_MADE: ("file-certificate", "", "A report was made"),
    Event.REPORT_ASKED: ("file-certificate", "", "A report was asked for as a file"),
    Event.REPORT_FAILED: ("alert-circle", "wait", "A report could not be made"),
    Event.REPORT_TAKEN: ("file-certificate", "", "A report was taken as a file"),
    Event.REPORTS_ERASED: ("trash", "", "Reports were erased as their time was over"),
    Event.REPORT_SCHEDULED: ("clock", "", "A report is sent by mail from now on"),
    Event.REPORT_UNSCHEDULED: ("clock", "", "A report is not sent by mail any more"),
    Event.PERSON_CREATED: ("user-plus", "", "A person was added"),
    Event.PERSON_CHANGED: ("user", "", "A person's name or address was changed"),
    Event.USER_CREATED: ("user-plus", "", "An account was made"),
    Event.USER_CHANGED: ("user-check", "", "An account was switched on"),
    Event.USER_DEACTIVATED: ("user-x", "", "An account was switched off"),
    Event.ROLE_GRANTED: ("user-plus", "", "A role was granted"),
    Event.ROLE_REVOKED: ("user-x", "", "A role was taken away"),
    Event.SECURITY_ROLE_SEALED: ("shield-lock", "", "The Security Role was sealed"),
    Event.MEMBER_ADDED: ("user-plus", "", "A seat of Security was filled"),
    Event.MEMBER_REMOVED: ("user-x", "", "A seat of Security ended"),
    Event.MEMBER_SUSPENDED: ("user-x", "refuse", "A member of Security was suspended"),
    Event.MEMBER_CONFIRMED: ("user-x", "refuse", "A suspension was confirmed"),
    Event.MEMBER_LIFTED: ("user-check", "", "A member said that a suspension should end"),
    Event.MEMBER_SUSPENSION_ENDED: ("user-check", "", "A suspension ended"),
    Event.MEMBER_DOUBTED: ("bell", "refuse", "A member of Security is doubted"),
    Event.CREDENTIALS_RESET: ("key-off", "wait", "Somebody's credentials were reset"),
    Event.CREDENTIAL_OFFERED: ("fingerprint", "", "A passkey was signed in for the roster"),
    Event.ROSTER_SIGNED: ("file-certificate", "", "The roster was signed"),
    Event.ENROLMENT_LINK_MADE: ("user-plus", "", "A first-start link was made"),
    Event.ENROLMENT_FINISHED: ("user-check", "", "A first start was finished"),
    Event.TOKEN_CREATED: ("key", "", "A token was made"),
    Event.TOKEN_REVOKED: ("key-off", "", "A token was taken back"),
    Event.SIGN_IN_SUCCEEDED: ("user", "", "Signed in"),
    Event.SIGN_IN_FAILED: ("ban", "refuse", "A sign-in failed"),
    Event.SIGN_OUT: ("logout", "", "Signed out"),
    Event.SESSION_ENDED: ("logout", "", "Sessions were ended"),
    Event.MFA_CHANGED: ("fingerprint", "", "A factor or a way to sign in was changed"),
    Event.STEP_UP_BEGUN: ("fingerprint", "", "Somebody was asked for their factor"),
    Event.ROLES_PROPOSED: ("user-question", "", "A provider's groups proposed roles"),
    Event.OWN_PASSWORD_CHANGED: ("forms", "", "A person changed their own password"),
}
# The start of an event's name → how the filter calls it.
GROUPS = {
    "request.": "requests",
    "vote.": "decisions",
    "report.": "reports",
    "rekey.": "re-keys",
    "attempt.": "refused attempts",
    "drift.": "changes behind our back",
    "backup.": "backups",
    "restore.": "restores",
    "job.": "jobs",
    "sign_in.": "sign-ins",
}
# What happens all day long and tells the reader of an overview nothing.
NOISE = (Event.SIGN_IN_SUCCEEDED, Event.SIGN_OUT, Event.STEP_UP_BEGUN, Event.VOTE_CAST, Event.SECRET_ERASED)
_KNOWN = frozenset(event.value for event in Event)
_PAGES = {
    "approvals.approvalrequest": "request",
    "encryption.job": "job",
    "accounts.securitymember": "seat",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry, as a line."""

    sequence: int
    event: str
    number: int | None
    veeam: int | None
    severity: str
    icon: str
    tone: str
    words: str
    who: str
    note: str
    url: str
    at: datetime


def lines(entries: Iterable[Entry]) -> list[Line]:
    """Put entries into words; people and jobs are looked up for all of them at once."""
    found = list(entries)
    actors = {entry.actor for entry in found if entry.actor}
    people = dict(User.objects.filter(pk__in=actors).values_list("pk", "person__name"))
    refs = {entry.subject_id for entry in found if entry.subject_type == "encryption.job"}
    jobs = dict(Job.objects.filter(pk__in=refs).values_list("pk", "name"))
    return [_line(entry, people, jobs) for entry in found]


def _line(entry: Entry, people: dict[UUID, str], jobs: dict[UUID, str]) -> Line:
    icon, tone, said = WORDS.get(entry.event, (*_PLAIN, entry.event.replace(".", " ").replace("_", " ")))
    page = _PAGES.get(entry.subject_type)
    known = Event(entry.event) if entry.event in _KNOWN else None
    return Line(
        sequence=entry.sequence,
        event=entry.event,
        number=known.number if known else None,
        veeam=known.veeam if known else None,
        severity=known.severity if known else "",
        icon=icon,
        tone=tone,
        words=said,
        who=_who(entry.actor, people),
        note=_note(entry, jobs),
        url=reverse(page, args=[entry.subject_id]) if page and entry.subject_id else "",
        at=entry.time,
    )


def _who(actor: UUID | None, people: dict[UUID, str]) -> str:
    if actor is None:
        return ""
    return people.get(actor) or (SYSTEM[actor].name if actor in SYSTEM else "somebody")


def _note(entry: Entry, jobs: dict[UUID, str]) -> str:
    facts: dict[str, Any] = entry.facts
    if entry.event in (Event.ATTEMPT_REFUSED, Event.ANONYMOUS_REFUSED):
        return str(facts.get("message") or facts.get("code") or "")
    if "number" in facts and entry.subject_type == "approvals.approvalrequest":
        return f"R-{facts['number']}"
    if entry.event == Event.ROLES_PROPOSED:
        return str(facts.get("roles", ""))
    if entry.event == Event.VOTE_CAST:
        return f"{facts.get('verdict')}, with {facts.get('factor')}"
    if entry.subject_type == "encryption.job" and entry.subject_id:
        return jobs.get(UUID(entry.subject_id), "")
    return ""
