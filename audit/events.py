"""Every event that the log knows: a stable name and a number of our own range, neither ever reused.

Beside them stand how grave it is to who watches, and Veeam's own number where Veeam has the same event. A
change of a password or of who decides is high, whoever made it: Veeam calls it information, and is overheard.
Extend at the end of a block, with a member's severity if it is more than information;
`tests/audit/test_events.py` holds the frozen list, `make events` writes `docs/events.md`.
"""

from enum import StrEnum


class Severity(StrEnum):
    """How grave an event is, the least first."""

    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    HIGH = "high"
    CRITICAL = "critical"


INFO, NOTICE, WARNING, HIGH, CRITICAL = Severity


class Event(StrEnum):
    """What happened; the value is the stored name, `number` the id that receivers filter by."""

    number: int
    severity: Severity
    veeam: int | None

    def __new__(
        cls, value: str, number: int = 0, severity: Severity = INFO, veeam: int | None = None
    ) -> "Event":
        """Make a member of its name, its number, its severity and Veeam's number of the same event."""
        event = str.__new__(cls, value)
        event._value_ = value
        event.number, event.severity, event.veeam = number, severity, veeam
        return event

    # The log itself: 71000
    ATTEMPT_REFUSED = "attempt.refused", 71001, WARNING, 44006
    ANONYMOUS_REFUSED = "anonymous.refused", 71002, WARNING, 44006
    MESSAGE_REFUSED = "message.refused", 71003, HIGH
    # 71004: a checkpoint is told by its own note, not by an entry, which would need another checkpoint.
    ALARM_RAISED = "alarm.raised", 71005, HIGH
    ALARM_ACKNOWLEDGED = "alarm.acknowledged", 71006, NOTICE
    ALARM_CLOSED = "alarm.closed", 71007, NOTICE
    NAMES_ERASED = "names.erased", 71008, WARNING
    LOG_ROLLBACK_ACKNOWLEDGED = "log.rollback_acknowledged", 71009, CRITICAL
    SELF_BACKED_UP = "self.backed_up", 71010, NOTICE, 40700
    SELF_RESTORED = "self.restored", 71011, WARNING
    MASTER_KEY_ROTATING = "master_key.rotating", 71012, HIGH
    MASTER_KEY_ROTATED = "master_key.rotated", 71013, HIGH
    MASTER_KEY_DESTROYED = "master_key.destroyed", 71014, HIGH
    # What is sent on: 71050
    FORWARDER_MADE = "forwarder.made", 71050, HIGH
    FORWARDER_CHANGED = "forwarder.changed", 71051, HIGH
    FORWARDER_STOPPED = "forwarder.stopped", 71052, HIGH
    FORWARDER_RESUMED = "forwarder.resumed", 71053, NOTICE
    FORWARDER_TESTED = "forwarder.tested", 71054, NOTICE
    # Requests: 71100
    REQUEST_CREATED = "request.created", 71101, NOTICE, 42402
    REQUEST_APPROVED = "request.approved", 71102, NOTICE, 42403
    REQUEST_REJECTED = "request.rejected", 71103, NOTICE, 42404
    REQUEST_WITHDRAWN = "request.withdrawn", 71104, NOTICE
    REQUEST_EXPIRED = "request.expired", 71105, NOTICE, 42405
    REQUEST_LAPSED = "request.lapsed", 71106, WARNING
    REQUEST_STALE = "request.stale", 71107, WARNING
    REQUEST_EXECUTED = "request.executed", 71108, NOTICE
    REQUEST_FAILED = "request.failed", 71109, WARNING
    VOTE_CAST = "vote.cast", 71110, NOTICE
    POLICY_CHANGED = "policy.changed", 71111, HIGH
    BADGE_ATTESTED = "badge.attested", 71112, NOTICE
    EVIDENCE_EXPORTED = "evidence.exported", 71113, NOTICE
    # Keys and passwords: 71200
    REKEY_STARTED = "rekey.started", 71201, HIGH
    REKEY_INTENT = "rekey.intent", 71202
    REKEY_JOB_DONE = "rekey.job_done", 71203, HIGH, 31700
    REKEY_JOB_FAILED = "rekey.job_failed", 71204, WARNING
    REKEY_ENDED = "rekey.ended", 71205, NOTICE
    ENCRYPTION_ACTIVATED = "encryption.activated", 71206, HIGH, 23050
    ENCRYPTION_DEACTIVATED = "encryption.deactivated", 71207, HIGH, 23050
    PASSWORD_VERSION_CREATED = "password.version_created", 71208, HIGH, 31600
    PASSWORD_DELETED = "password.deleted", 71209, HIGH, 31800
    PASSWORD_VERSION_ERASED = "password.version_erased", 71210, NOTICE
    SECRET_ERASED = "secret.erased", 71211
    CUSTODY_STATED = "custody.stated", 71212, NOTICE
    CUSTODY_PROVED = "custody.proved", 71213, INFO, 31850
    CUSTODY_FAILED = "custody.failed", 71214, WARNING, 31850
    PASSWORD_RELEASED = "password.released", 71215, HIGH
    RELEASE_TAKEN = "release.taken", 71216, HIGH
    PASSWORD_OFFERED = "password.offered", 71217, NOTICE
    PASSWORD_PROVED = "password.proved", 71218, HIGH, 31850
    PASSWORD_NOT_PROVED = "password.not_proved", 71219, WARNING, 31850
    # Jobs and repositories: 71300
    JOB_CREATED = "job.created", 71301, NOTICE
    JOB_CHANGED = "job.changed", 71302, NOTICE, 23050
    JOB_DELETED = "job.deleted", 71303, WARNING
    JOB_RUN = "job.run", 71304
    BACKUP_FINISHED = "backup.finished", 71305
    BACKUP_FAILED = "backup.failed", 71306, WARNING
    RESTORE_STARTED = "restore.started", 71307, NOTICE
    RESTORE_FINISHED = "restore.finished", 71308
    RESTORE_FAILED = "restore.failed", 71309, WARNING
    RETENTION_DROPPED = "retention.dropped", 71310
    DRIFT_FOUND = "drift.found", 71311, HIGH
    DRIFT_CLOSED = "drift.closed", 71312, NOTICE
    REPOSITORY_CREATED = "repository.created", 71313, NOTICE
    REPOSITORY_CHANGED = "repository.changed", 71314, NOTICE
    REPOSITORY_DELETED = "repository.deleted", 71315, WARNING
    VERIFY_FINISHED = "verify.finished", 71316
    VERIFY_FAILED = "verify.failed", 71317, HIGH
    ACCESS_GRANTED = "access.granted", 71318, NOTICE
    ACCESS_REVOKED = "access.revoked", 71319, NOTICE
    DRIFT_EXPLAINED = "drift.explained", 71320, NOTICE
    COVER_STARTED = "cover.started", 71321
    COVER_FINISHED = "cover.finished", 71322
    COVER_FAILED = "cover.failed", 71323, WARNING
    ADOPTION_STARTED = "adoption.started", 71324, NOTICE
    JOB_ADOPTED = "job.adopted", 71325, HIGH
    POINTS_ADOPTED = "points.adopted", 71326, NOTICE
    POINTS_OPENED = "points.opened", 71327
    ADOPTION_ENDED = "adoption.ended", 71328, NOTICE
    # People: 71400
    PERSON_CREATED = "person.created", 71401
    PERSON_CHANGED = "person.changed", 71402, NOTICE
    USER_CREATED = "user.created", 71403, NOTICE, 31200
    USER_CHANGED = "user.changed", 71404, NOTICE
    USER_DEACTIVATED = "user.deactivated", 71405, WARNING, 31400
    ROLE_GRANTED = "role.granted", 71406, HIGH, 31200
    ROLE_REVOKED = "role.revoked", 71407, HIGH, 31400
    SECURITY_ROLE_SEALED = "security_role.sealed", 71408, HIGH, 42400
    MEMBER_ADDED = "member.added", 71409, HIGH
    MEMBER_REMOVED = "member.removed", 71410, HIGH
    MEMBER_SUSPENDED = "member.suspended", 71411, CRITICAL
    MEMBER_CONFIRMED = "member.confirmed", 71412, WARNING
    MEMBER_LIFTED = "member.lifted", 71413, WARNING
    ROSTER_SIGNED = "roster.signed", 71414, HIGH
    ENROLMENT_LINK_MADE = "enrolment.link_made", 71415, NOTICE
    ENROLMENT_FINISHED = "enrolment.finished", 71416, NOTICE
    TOKEN_CREATED = "token.created", 71417, NOTICE
    TOKEN_REVOKED = "token.revoked", 71418, NOTICE, 44005
    MEMBER_SUSPENSION_ENDED = "member.suspension_ended", 71419, NOTICE
    MEMBER_DOUBTED = "member.doubted", 71420, HIGH
    CREDENTIALS_RESET = "credentials.reset", 71421, HIGH
    CREDENTIAL_OFFERED = "credential.offered", 71422, NOTICE
    # Sessions and factors: 71500
    SIGN_IN_SUCCEEDED = "sign_in.succeeded", 71501, INFO, 44003
    SIGN_IN_FAILED = "sign_in.failed", 71502, WARNING, 44002
    SIGN_OUT = "sign_out", 71503
    MFA_CHANGED = "mfa.changed", 71504, WARNING
    OWN_PASSWORD_CHANGED = "own_password.changed", 71505, WARNING
    STEP_UP_BEGUN = "step_up.begun", 71506
    SESSION_ENDED = "session.ended", 71507, NOTICE
    ROLES_PROPOSED = "roles.proposed", 71508, NOTICE
    # Veeam servers: 71600
    VEEAM_CONNECTED = "veeam.connected", 71600, NOTICE
    VEEAM_CHANGED = "veeam.changed", 71601, NOTICE
    VEEAM_DISCONNECTED = "veeam.disconnected", 71602, WARNING
    VEEAM_LOOKED_AT = "veeam.looked_at", 71603
    VEEAM_IMPORTED = "veeam.imported", 71604
    VEEAM_DIFFERENCE = "veeam.difference", 71605, WARNING
    VEEAM_MODE_CHANGED = "veeam.mode_changed", 71606, WARNING
    VEEAM_POINTS_GONE = "veeam.points_gone", 71607, WARNING
    VEEAM_ANALYZED = "veeam.analyzed", 71608
    # What Veeam's syslog tells: 71620
    VEEAM_RECEPTION_BEGUN = "veeam.reception_begun", 71620
    VEEAM_RECEPTION_ENDED = "veeam.reception_ended", 71621
    VEEAM_RECEPTION_GAP = "veeam.reception_gap", 71622, WARNING
    VEEAM_RECONCILED = "veeam.reconciled", 71623
    VEEAM_EXCEPTION_ASSIGNED = "veeam.exception_assigned", 71624, NOTICE
    VEEAM_EVENTS_CLAIMED = "veeam.events_claimed", 71625
    # What we do there: 71640
    VEEAM_PASSWORD_SET = "veeam.password_set", 71640, HIGH, 31700
    VEEAM_PASSWORD_REMOVED = "veeam.password_removed", 71641, HIGH, 31800
    VEEAM_PASSWORD_OFFERED = "veeam.password_offered", 71642, NOTICE
    VEEAM_PASSWORD_ADOPTED = "veeam.password_adopted", 71643, HIGH, 31850
    VEEAM_PASSWORD_REFUSED = "veeam.password_refused", 71644, WARNING, 31850
    # Recovery: 71700
    KEYSET_WISHED = "keyset.wished", 71700, NOTICE
    KEYSET_GENERATED = "keyset.generated", 71701, NOTICE
    KEYSET_ACTIVATED = "keyset.activated", 71702, HIGH
    KEYSET_TAKEN = "keyset.taken", 71703, HIGH
    KEYSET_EXPORTED = "keyset.exported", 71704, CRITICAL
    KEYSET_IMPORTED = "keyset.imported", 71705, HIGH
    KEYSET_DELETED = "keyset.deleted", 71706, CRITICAL
    ENTERPRISE_ORDERED = "enterprise.ordered", 71707, NOTICE
    ENTERPRISE_REFUSED = "enterprise.refused", 71708, HIGH
    SERVER_OFFERED = "server.offered", 71709, NOTICE
    SERVER_REGISTERED = "server.registered", 71710, HIGH
    SERVER_REVOKED = "server.revoked", 71711, HIGH
    CASE_MADE = "case.made", 71712, NOTICE
    CASE_RECEIVED = "case.received", 71713, NOTICE
    CASE_ANSWERED = "case.answered", 71714, HIGH
    CASE_OPENED = "case.opened", 71715, HIGH
    CASE_REFUSED = "case.refused", 71716, WARNING
    KEYSETS_AUTOMATIC = "keysets.automatic", 71717, NOTICE
    SERVER_REVOCATION_WISHED = "server.revocation_wished", 71718, HIGH
    # The analyzer: 71800
    ASSESSMENT_ASKED = "assessment.asked", 71800
    ASSESSMENT_DONE = "assessment.done", 71801
    FINDING_SUPPRESSED = "finding.suppressed", 71802, WARNING
    # Reports: 71850
    REPORT_MADE = "report.made", 71850, NOTICE
    REPORT_ASKED = "report.asked", 71851
    REPORT_FAILED = "report.failed", 71852, WARNING
    REPORT_TAKEN = "report.taken", 71853, NOTICE
    REPORTS_ERASED = "reports.erased", 71854
    REPORT_SCHEDULED = "report.scheduled", 71855, NOTICE
    REPORT_UNSCHEDULED = "report.unscheduled", 71856, NOTICE


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
        Event.PASSWORD_PROVED,
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
        Event.MASTER_KEY_ROTATED,
        Event.MASTER_KEY_DESTROYED,
        Event.KEYSET_ACTIVATED,
        Event.KEYSET_EXPORTED,
        Event.KEYSET_DELETED,
        Event.CASE_ANSWERED,
        Event.CASE_OPENED,
    }
)
