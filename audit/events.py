"""Every event that the log knows: a stable name and a number of our own range, neither ever reused.

Extend at the end of a block; `tests/audit/test_events.py` holds the frozen list.
"""

from enum import StrEnum


class Event(StrEnum):
    """What happened; the value is the stored name, `number` the id that receivers filter by."""

    number: int

    def __new__(cls, value: str, number: int = 0) -> "Event":
        """Make a member of its name and number."""
        event = str.__new__(cls, value)
        event._value_ = value
        event.number = number
        return event

    # The log itself: 71000
    ATTEMPT_REFUSED = "attempt.refused", 71001
    ANONYMOUS_REFUSED = "anonymous.refused", 71002
    MESSAGE_REFUSED = "message.refused", 71003
    # 71004: a checkpoint is told by its own note, not by an entry, which would need another checkpoint.
    ALARM_RAISED = "alarm.raised", 71005
    ALARM_ACKNOWLEDGED = "alarm.acknowledged", 71006
    ALARM_CLOSED = "alarm.closed", 71007
    NAMES_ERASED = "names.erased", 71008
    LOG_ROLLBACK_ACKNOWLEDGED = "log.rollback_acknowledged", 71009
    SELF_BACKED_UP = "self.backed_up", 71010
    SELF_RESTORED = "self.restored", 71011
    # Requests: 71100
    REQUEST_CREATED = "request.created", 71101
    REQUEST_APPROVED = "request.approved", 71102
    REQUEST_REJECTED = "request.rejected", 71103
    REQUEST_WITHDRAWN = "request.withdrawn", 71104
    REQUEST_EXPIRED = "request.expired", 71105
    REQUEST_LAPSED = "request.lapsed", 71106
    REQUEST_STALE = "request.stale", 71107
    REQUEST_EXECUTED = "request.executed", 71108
    REQUEST_FAILED = "request.failed", 71109
    VOTE_CAST = "vote.cast", 71110
    POLICY_CHANGED = "policy.changed", 71111
    BADGE_ATTESTED = "badge.attested", 71112
    EVIDENCE_EXPORTED = "evidence.exported", 71113
    # Keys and passwords: 71200
    REKEY_STARTED = "rekey.started", 71201
    REKEY_INTENT = "rekey.intent", 71202
    REKEY_JOB_DONE = "rekey.job_done", 71203
    REKEY_JOB_FAILED = "rekey.job_failed", 71204
    REKEY_ENDED = "rekey.ended", 71205
    ENCRYPTION_ACTIVATED = "encryption.activated", 71206
    ENCRYPTION_DEACTIVATED = "encryption.deactivated", 71207
    PASSWORD_VERSION_CREATED = "password.version_created", 71208
    PASSWORD_DELETED = "password.deleted", 71209
    PASSWORD_VERSION_ERASED = "password.version_erased", 71210
    SECRET_ERASED = "secret.erased", 71211
    CUSTODY_STATED = "custody.stated", 71212
    CUSTODY_PROVED = "custody.proved", 71213
    CUSTODY_FAILED = "custody.failed", 71214
    PASSWORD_RELEASED = "password.released", 71215
    RELEASE_TAKEN = "release.taken", 71216
    # Jobs and repositories: 71300
    JOB_CREATED = "job.created", 71301
    JOB_CHANGED = "job.changed", 71302
    JOB_DELETED = "job.deleted", 71303
    JOB_RUN = "job.run", 71304
    BACKUP_FINISHED = "backup.finished", 71305
    BACKUP_FAILED = "backup.failed", 71306
    RESTORE_STARTED = "restore.started", 71307
    RESTORE_FINISHED = "restore.finished", 71308
    RESTORE_FAILED = "restore.failed", 71309
    RETENTION_DROPPED = "retention.dropped", 71310
    DRIFT_FOUND = "drift.found", 71311
    DRIFT_CLOSED = "drift.closed", 71312
    REPOSITORY_CREATED = "repository.created", 71313
    REPOSITORY_CHANGED = "repository.changed", 71314
    REPOSITORY_DELETED = "repository.deleted", 71315
    VERIFY_FINISHED = "verify.finished", 71316
    VERIFY_FAILED = "verify.failed", 71317
    ACCESS_GRANTED = "access.granted", 71318
    ACCESS_REVOKED = "access.revoked", 71319
    DRIFT_EXPLAINED = "drift.explained", 71320
    COVER_STARTED = "cover.started", 71321
    COVER_FINISHED = "cover.finished", 71322
    COVER_FAILED = "cover.failed", 71323
    # People: 71400
    PERSON_CREATED = "person.created", 71401
    PERSON_CHANGED = "person.changed", 71402
    USER_CREATED = "user.created", 71403
    USER_CHANGED = "user.changed", 71404
    USER_DEACTIVATED = "user.deactivated", 71405
    ROLE_GRANTED = "role.granted", 71406
    ROLE_REVOKED = "role.revoked", 71407
    SECURITY_ROLE_SEALED = "security_role.sealed", 71408
    MEMBER_ADDED = "member.added", 71409
    MEMBER_REMOVED = "member.removed", 71410
    MEMBER_SUSPENDED = "member.suspended", 71411
    MEMBER_CONFIRMED = "member.confirmed", 71412
    MEMBER_LIFTED = "member.lifted", 71413
    ROSTER_SIGNED = "roster.signed", 71414
    ENROLMENT_LINK_MADE = "enrolment.link_made", 71415
    ENROLMENT_FINISHED = "enrolment.finished", 71416
    TOKEN_CREATED = "token.created", 71417
    TOKEN_REVOKED = "token.revoked", 71418
    MEMBER_SUSPENSION_ENDED = "member.suspension_ended", 71419
    MEMBER_DOUBTED = "member.doubted", 71420
    CREDENTIALS_RESET = "credentials.reset", 71421
    CREDENTIAL_OFFERED = "credential.offered", 71422
    # Sessions and factors: 71500
    SIGN_IN_SUCCEEDED = "sign_in.succeeded", 71501
    SIGN_IN_FAILED = "sign_in.failed", 71502
    SIGN_OUT = "sign_out", 71503
    MFA_CHANGED = "mfa.changed", 71504
    OWN_PASSWORD_CHANGED = "own_password.changed", 71505
    STEP_UP_BEGUN = "step_up.begun", 71506
    SESSION_ENDED = "session.ended", 71507
    ROLES_PROPOSED = "roles.proposed", 71508
    # Veeam servers: 71600
    VEEAM_CONNECTED = "veeam.connected", 71600
    VEEAM_CHANGED = "veeam.changed", 71601
    VEEAM_DISCONNECTED = "veeam.disconnected", 71602
    VEEAM_LOOKED_AT = "veeam.looked_at", 71603
    VEEAM_IMPORTED = "veeam.imported", 71604
    VEEAM_DIFFERENCE = "veeam.difference", 71605
    VEEAM_MODE_CHANGED = "veeam.mode_changed", 71606
    VEEAM_POINTS_GONE = "veeam.points_gone", 71607
    VEEAM_ANALYZED = "veeam.analyzed", 71608
    # What Veeam's syslog tells: 71620
    VEEAM_RECEPTION_BEGUN = "veeam.reception_begun", 71620
    VEEAM_RECEPTION_ENDED = "veeam.reception_ended", 71621
    VEEAM_RECEPTION_GAP = "veeam.reception_gap", 71622
    VEEAM_RECONCILED = "veeam.reconciled", 71623
    VEEAM_EXCEPTION_ASSIGNED = "veeam.exception_assigned", 71624
    # What we do there: 71640
    VEEAM_PASSWORD_SET = "veeam.password_set", 71640
    VEEAM_PASSWORD_REMOVED = "veeam.password_removed", 71641
    VEEAM_PASSWORD_OFFERED = "veeam.password_offered", 71642
    VEEAM_PASSWORD_ADOPTED = "veeam.password_adopted", 71643
    VEEAM_PASSWORD_REFUSED = "veeam.password_refused", 71644
    # Recovery: 71700
    KEYSET_WISHED = "keyset.wished", 71700
    KEYSET_GENERATED = "keyset.generated", 71701
    KEYSET_ACTIVATED = "keyset.activated", 71702
    KEYSET_TAKEN = "keyset.taken", 71703
    KEYSET_EXPORTED = "keyset.exported", 71704
    KEYSET_IMPORTED = "keyset.imported", 71705
    KEYSET_DELETED = "keyset.deleted", 71706
    ENTERPRISE_ORDERED = "enterprise.ordered", 71707
    ENTERPRISE_REFUSED = "enterprise.refused", 71708
    SERVER_OFFERED = "server.offered", 71709
    SERVER_REGISTERED = "server.registered", 71710
    SERVER_REVOKED = "server.revoked", 71711
    CASE_MADE = "case.made", 71712
    CASE_RECEIVED = "case.received", 71713
    CASE_ANSWERED = "case.answered", 71714
    CASE_OPENED = "case.opened", 71715
    CASE_REFUSED = "case.refused", 71716


# Decisions and key operations: a checkpoint follows each at once, not with the minute.
PROMPT = frozenset(
    {
        Event.REQUEST_APPROVED,
        Event.REQUEST_REJECTED,
        Event.REQUEST_STALE,
        Event.REQUEST_EXECUTED,
        Event.VOTE_CAST,
        Event.POLICY_CHANGED,
        Event.BADGE_ATTESTED,
        Event.REKEY_STARTED,
        Event.REKEY_INTENT,
        Event.REKEY_JOB_DONE,
        Event.REKEY_ENDED,
        Event.ENCRYPTION_ACTIVATED,
        Event.ENCRYPTION_DEACTIVATED,
        Event.PASSWORD_VERSION_CREATED,
        Event.PASSWORD_DELETED,
        Event.DRIFT_EXPLAINED,
        Event.VEEAM_PASSWORD_SET,
        Event.VEEAM_PASSWORD_REMOVED,
        Event.VEEAM_PASSWORD_ADOPTED,
        Event.SECURITY_ROLE_SEALED,
        Event.MEMBER_ADDED,
        Event.MEMBER_REMOVED,
        Event.MEMBER_SUSPENDED,
        Event.CREDENTIALS_RESET,
        Event.ROSTER_SIGNED,
        Event.KEYSET_ACTIVATED,
        Event.KEYSET_EXPORTED,
        Event.KEYSET_DELETED,
        Event.CASE_ANSWERED,
        Event.CASE_OPENED,
    }
)
