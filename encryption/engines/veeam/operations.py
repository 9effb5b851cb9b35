"""The calls that are made, each with the least role that may make it and the revision that brought it.

Roles as the specification of 1.3-rev2 names them.
"""

from typing import NamedTuple

# Oldest first: 12.3.1, 13.0.0, 13.0.1 and 13.1 bring them.
REVISIONS = ("1.2-rev1", "1.3-rev0", "1.3-rev1", "1.3-rev2")
_BUILDS = ((12, 3, 1, 0), (13, 0, 0, 4967), (13, 0, 1, 0), (13, 1, 0, 0))

_ANYONE = "any role"
_VIEWER = "Backup Viewer"
_OPERATOR = "Backup Operator"
_SECURITY = "Security Administrator"
_ADMINISTRATOR = "Backup Administrator"


class Operation(NamedTuple):
    """One call of the REST API. `secret`: its body holds a password, so its answers are never quoted."""

    method: str
    path: str
    role: str
    since: str = REVISIONS[0]
    secret: bool = False


SERVER_TIME = Operation("GET", "/api/v1/serverTime", _ANYONE)
SERVER_INFO = Operation("GET", "/api/v1/serverInfo", _ADMINISTRATOR)
TOKEN = Operation("POST", "/api/oauth2/token", _ANYONE, secret=True)
LOGOUT = Operation("POST", "/api/oauth2/logout", _ANYONE)

PASSWORDS = Operation("GET", "/api/v1/encryptionPasswords", f"{_OPERATOR} or {_SECURITY}")
PASSWORD = Operation("GET", "/api/v1/encryptionPasswords/{}", f"{_OPERATOR} or {_SECURITY}")
CREATE_PASSWORD = Operation("POST", "/api/v1/encryptionPasswords", _SECURITY, secret=True)
SET_HINT = Operation("PUT", "/api/v1/encryptionPasswords/{}", _SECURITY)
CHANGE_PASSWORD = Operation("POST", "/api/v1/encryptionPasswords/{}/changepassword", _SECURITY, secret=True)
VERIFY_PASSWORD = Operation(
    "POST", "/api/v1/encryptionPasswords/{}/verify", f"{_OPERATOR} or {_SECURITY}", "1.3-rev0", secret=True
)
DELETE_PASSWORD = Operation("DELETE", "/api/v1/encryptionPasswords/{}", _SECURITY)
KMS_SERVERS = Operation("GET", "/api/v1/kmsServers", _SECURITY)

JOBS = Operation("GET", "/api/v1/jobs", _VIEWER)
JOB = Operation("GET", "/api/v1/jobs/{}", _VIEWER)
PUT_JOB = Operation("PUT", "/api/v1/jobs/{}", _ADMINISTRATOR)
START_JOB = Operation("POST", "/api/v1/jobs/{}/start", _OPERATOR)
JOB_STATES = Operation("GET", "/api/v1/jobs/states", _VIEWER)
SESSION = Operation("GET", "/api/v1/sessions/{}", _VIEWER)

REPOSITORIES = Operation("GET", "/api/v1/backupInfrastructure/repositories", _VIEWER)
REPOSITORY_STATES = Operation("GET", "/api/v1/backupInfrastructure/repositories/states", _VIEWER)
SCALE_OUT = Operation("GET", "/api/v1/backupInfrastructure/scaleOutRepositories", _VIEWER)
BACKUPS = Operation("GET", "/api/v1/backups", _VIEWER)
RESTORE_POINTS = Operation("GET", "/api/v1/restorePoints", _VIEWER)

CONFIG_BACKUP = Operation("GET", "/api/v1/configBackup", _ADMINISTRATOR)
USERS = Operation("GET", "/api/v1/security/users", _ADMINISTRATOR, "1.3-rev1")
ROLES = Operation("GET", "/api/v1/security/roles", _OPERATOR, "1.3-rev1")
EVENT_FORWARDING = Operation("GET", "/api/v1/generalOptions/eventForwarding", _ADMINISTRATOR, "1.3-rev1")
ANALYZER_START = Operation("POST", "/api/v1/securityAnalyzer/start", _SECURITY)
ANALYZER_LAST_RUN = Operation("GET", "/api/v1/securityAnalyzer/lastRun", _SECURITY)
ANALYZER_RESULTS = Operation("GET", "/api/v1/securityAnalyzer/bestPractices", _SECURITY)
FOUR_EYES = Operation("GET", "/api/v1/authorization/events", _SECURITY)


def revision_of(build: str) -> str | None:
    """Return the newest revision that a build speaks; None for one that is too old, or no build."""
    numbers = build.split()[0].split(".") if build.split() else []
    if not numbers or not all(number.isdecimal() and len(number) < 10 for number in numbers):
        return None
    version = tuple(int(number) for number in numbers)
    spoken = [revision for revision, first in zip(REVISIONS, _BUILDS, strict=True) if version >= first]
    return spoken[-1] if spoken else None
