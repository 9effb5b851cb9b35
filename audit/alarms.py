"""Every kind of alarm: a stable name, never reused, what is wrong, and what a person does about it.

Extend at the end; `tests/audit/test_events.py` holds the frozen list, `make events` writes `docs/alarms.md`.
"""

from enum import StrEnum


class Concerns(StrEnum):
    """Who is told by mail."""

    EVERYBODY = "Security and who backs up"
    BACKUP = "who backs up"
    SECURITY = "Security"


EVERYBODY, BACKUP, SECURITY = Concerns


class Kind(StrEnum):
    """What is wrong; `todo` says in plain words what helps.

    An incident is over when it is told: a member of Security ends it, with a note, unless `amends`, which
    makes up for it, does. Every other alarm ends by itself, when its cause is gone, and nobody can end it
    before.
    """

    heading: str
    todo: str
    concerns: Concerns
    incident: bool
    amends: str

    def __new__(
        cls,
        value: str,
        heading: str = "",
        todo: str = "",
        concerns: Concerns = EVERYBODY,
        incident: bool = False,
        amends: str = "",
    ) -> "Kind":
        """Make a member of its name, heading and advice, whom it concerns, and how an incident ends."""
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.heading, kind.todo, kind.concerns = heading, todo, concerns
        kind.incident, kind.amends = incident, amends
        return kind

    LOG_ALTERED = (
        "log.altered",
        "The log was altered",
        "Keep the database and the checkpoints folder as they are, and compare them with a backup.",
    )
    LOG_ROLLED_BACK = (
        "log.rolled_back",
        "The database is older than its own log",
        "The database is older than its signed checkpoints: bring back a newer copy, or ask who restored it.",
    )
    TASK_FAILING = (
        "task.failing",
        "Work in the background fails",
        "Read the worker's log; the task is tried again by itself.",
        BACKUP,
    )
    DRIFT = (
        "drift",
        "Changed behind our back",
        "Find out who changed it, then ask for a change of the password under four eyes.",
    )
    UNOBSERVED = (
        "unobserved",
        "A job cannot be observed",
        "Check that the repository is connected and can be read.",
        BACKUP,
    )
    REKEY_STUCK = (
        "rekey.stuck",
        "A change of a key or password does not go on",
        "Check that the place of the backups can be reached; the change goes on by itself.",
    )
    REKEY_FAILED = (
        "rekey.failed",
        "A change of a key or password failed",
        "Nothing was changed. Read the step's error, then ask again.",
        EVERYBODY,
        True,
        "a later change of this job that succeeds",
    )
    JOB_FAILED = "job.failed", "A backup failed", "Read the session's error and run the job again.", BACKUP
    DISK_FULL = (
        "disk.full",
        "A repository is full",
        "Make room in the repository, or shorten the retention.",
        BACKUP,
    )
    SECURITY_ROLE_TOO_SMALL = (
        "security_role.too_small",
        "The Security Role is too small",
        "Fill the second seat: until then nothing is approved.",
    )
    MEMBER_SUSPENDED = (
        "member.suspended",
        "A member of Security is suspended",
        "A third member confirms or lifts the suspension within 72 hours.",
    )
    MEMBER_DOUBTED = (
        "member.doubted",
        "An administrator doubts a member of Security",
        "Another member looks into it, and suspends if need be.",
        SECURITY,
        True,
        "the end of the seat",
    )
    PASSWORD_RELEASED = (
        "password.released",
        "A password was released",
        "Ask for a change of this password: one person more knows it.",
    )
    CUSTODY_WRONG = (
        "custody.wrong",
        "A custodian's copy is not the password",
        "Ask the custodian to look at their copy, and to prove it again.",
    )
    ATTESTATION_MISSING = (
        "attestation.missing",
        "Evidence is missing",
        "The worker signs it by itself; read its log if it does not.",
    )
    REQUEST_STALE = (
        "request.stale",
        "An approval did not fit any more",
        "Open the request, read what was different, and ask again.",
        EVERYBODY,
        True,
        "another request about the same",
    )
    VEEAM_UNEXPLAINED = (
        "veeam.unexplained",
        "Something at Veeam that no request explains",
        "Open the server's reconciliation, read who did it, and give every exception an owner.",
    )
    VEEAM_VERIFY_FAILED = (
        "veeam.verify_failed",
        "A wrong value was tried for a password at Veeam",
        "Somebody tried a value that is not the password: ask them, then give the exception an owner.",
    )
    VEEAM_NOT_LISTENING = (
        "veeam.not_listening",
        "Nobody listens to Veeam's events",
        "Start the receiver of events; what Veeam sends meanwhile is lost, and the gap stays on record.",
    )
    VEEAM_NOT_ENFORCED = (
        "veeam.not_enforced",
        "Others may change passwords at an enforced Veeam server",
        "Take those roles away in Veeam, or set the server back to watching.",
    )
    VEEAM_ADOPTION_FAILED = (
        "veeam.adoption_failed",
        "What was offered is not the password at Veeam",
        "Somebody typed a value that is not the password: ask them, and look at their copy of it.",
    )
    KMS_AWAY = (
        "kms.away",
        "A master key is out of reach",
        "Bring the HSM, the key server or the credential back: what waits for it goes on by itself.",
        BACKUP,
    )
    RUN_MISSED = (
        "run.missed",
        "A scheduled run did not happen",
        "See whether a former run still goes on and whether the worker lives, then run the job.",
        BACKUP,
    )
    COPY_BEHIND = (
        "copy.behind",
        "A copy lies behind what it copies",
        "See at Veeam why the copy job does not run; until it does, there is one copy less.",
        BACKUP,
    )
    SECURITY_ROLE_SMALL = (
        "security_role.small",
        "Security has no member to spare",
        "Ask for a third seat: when one of two is away, nothing is approved.",
        SECURITY,
    )
    OUTBOX_STUCK = (
        "outbox.stuck",
        "Work in the background is not begun",
        "See whether every worker lives; what waits is done once it does.",
        BACKUP,
    )
    LOG_UNSEALED = (
        "log.unsealed",
        "The log's newest entries are not sealed",
        "Read the worker's log: until it signs a checkpoint, these entries could still be altered unseen.",
    )
    CHECKPOINT_INSIDE = (
        "checkpoint.inside",
        "The log's seals lie on this machine alone",
        "Name a folder on another machine in VEEAMSEC_CHECKPOINTS_OUTSIDE, and see that it can be written.",
    )
    KEYSET_EXPIRING = (
        "keyset.expiring",
        "A keyset ends soon",
        "Ask for a new keyset, activate it, and export it, before this one ends.",
    )
    QUICK_APPROVAL = (
        "approval.quick",
        "An administrator approved at once",
        "Ask whether the request was read before it was approved, and note what was said.",
        SECURITY,
        True,
    )
    FORWARDER_BEHIND = (
        "forwarder.behind",
        "The log is not forwarded",
        "Open the forwarders in the console and read the last error; what waits is sent once it is mended.",
    )
    PASSWORD_NOT_PROVED = (
        "password.not_proved",
        "What was offered does not open an adopted job",
        "Somebody typed a value that is not the password: ask them, and look at their copy of it.",
    )
    PASSWORD_UNTAKEN = (
        "password.untaken",
        "A generated password was not taken",
        "Nobody knows it: ask for its release to a custodian, or for another password.",
    )
