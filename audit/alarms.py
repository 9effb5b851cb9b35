"""Every kind of alarm: a stable name, never reused, and what a person does about it."""

from enum import StrEnum


class Kind(StrEnum):
    """What is wrong; `todo` says in plain words what helps."""

    todo: str

    def __new__(cls, value: str, todo: str = "") -> "Kind":
        """Make a member of its name and advice."""
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.todo = todo
        return kind

    LOG_ALTERED = (
        "log.altered",
        "Keep the database and the checkpoints folder as they are, and compare them with a backup.",
    )
    LOG_ROLLED_BACK = (
        "log.rolled_back",
        "The database is older than its signed checkpoints: bring back a newer copy, or ask who restored it.",
    )
    TASK_FAILING = "task.failing", "Read the worker's log; the task is tried again by itself."
    DRIFT = "drift", "Find out who changed it, then ask for a change of the password under four eyes."
    UNOBSERVED = "unobserved", "Check that the repository is connected and can be read."
    REKEY_STUCK = (
        "rekey.stuck",
        "Check that the place of the backups can be reached; the change goes on by itself.",
    )
    REKEY_FAILED = "rekey.failed", "Nothing was changed. Read the step's error, then ask again."
    JOB_FAILED = "job.failed", "Read the session's error and run the job again."
    DISK_FULL = "disk.full", "Make room in the repository, or shorten the retention."
    SECURITY_ROLE_TOO_SMALL = (
        "security_role.too_small",
        "Fill the second seat: until then nothing is approved.",
    )
    MEMBER_SUSPENDED = "member.suspended", "A third member confirms or lifts the suspension within 72 hours."
    MEMBER_DOUBTED = "member.doubted", "Another member looks into it, and suspends if need be."
    PASSWORD_RELEASED = "password.released", "Ask for a change of this password: one person more knows it."
    CUSTODY_WRONG = "custody.wrong", "Ask the custodian to look at their copy, and to prove it again."
    BADGE_LOST = "badge.lost", "Open the job and read why the sign is gone."
    ATTESTATION_MISSING = "attestation.missing", "The worker signs it by itself; read its log if it does not."
    REQUEST_STALE = "request.stale", "Open the request, read what was different, and ask again."
    VEEAM_UNEXPLAINED = (
        "veeam.unexplained",
        "Open the server's reconciliation, read who did it, and give every exception an owner.",
    )
    VEEAM_VERIFY_FAILED = (
        "veeam.verify_failed",
        "Somebody tried a value that is not the password: ask them, then give the exception an owner.",
    )
    VEEAM_NOT_LISTENING = (
        "veeam.not_listening",
        "Start the receiver of events; what Veeam sends meanwhile is lost, and the gap stays on record.",
    )
    VEEAM_NOT_ENFORCED = (
        "veeam.not_enforced",
        "Take those roles away in Veeam, or set the server back to watching.",
    )
    VEEAM_ADOPTION_FAILED = (
        "veeam.adoption_failed",
        "Somebody typed a value that is not the password: ask them, and look at their copy of it.",
    )
    KMS_AWAY = (
        "kms.away",
        "Bring the HSM, the key server or the credential back: what waits for it goes on by itself.",
    )
