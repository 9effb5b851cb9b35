"""The door to a Veeam server: what may be read there, and the few things that are changed.

`with VeeamClient(…) as client:` speaks to one server as one account. Nothing is sent before the first call.
Iterators hand out entries while pages arrive. Every method raises EngineError: VeeamUnreachable, VeeamCut
(sent, and no whole answer), VeeamUntrusted, VeeamRefused, VeeamGone, VeeamBusy, VeeamUnexpected.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from encryption.crypto.secret import Secret
from encryption.engines.veeam import inventory, operations, reading, refusals
from encryption.engines.veeam.calls import Calls
from encryption.engines.veeam.tls import Pin
from encryption.engines.veeam.tokens import Tokens
from encryption.engines.veeam.wire import Wire
from encryption.errors import VeeamGone, VeeamUnexpected

__all__ = ["Pin", "VeeamClient"]

# Whole models are large, restore points small.
_JOBS_A_PAGE, _POINTS_A_PAGE = 100, 1000


class VeeamClient:
    """One account at one server. Threads may share it."""

    def __init__(
        self,
        address: str,
        port: int,
        pin: Pin,
        account: str,
        password: Secret,
        *,
        revision: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        if revision is not None and revision not in operations.REVISIONS:
            raise VeeamUnexpected(f"This version does not speak revision {revision!r} of Veeam's REST API.")
        self._wire = Wire(address, port, pin, timeout)
        self._calls = Calls(self._wire, Tokens(self._wire, account, password), revision)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<VeeamClient of {self._wire.place}>"

    def close(self) -> None:
        """Log out, and close the connections; a server that is away is left to forget the token."""
        self._calls.close()

    @property
    def revision(self) -> str:
        """Return the revision of the REST API that both sides speak, 1.2-rev1 to 1.3-rev2; logs in."""
        return self._calls.revision

    @property
    def tls_version(self) -> str:
        """Return what was negotiated, such as TLSv1.3; connects where that did not happen yet."""
        if not self._wire.tls_version:
            self._calls.probe()
        return self._wire.tls_version

    def server_info(self) -> inventory.ServerInfo:
        """Return which server this is; raises VeeamRefused for any role but Backup Administrator."""
        return inventory.server_info(self._calls.server_info())

    # Encryption passwords

    def passwords(self) -> Iterator[inventory.Password]:
        """Hand out the encryption passwords by their hints."""
        return map(inventory.password, self._calls.entries(operations.PASSWORDS, order="Hint"))

    def password(self, password: UUID | str) -> inventory.Password:
        """Return an encryption password's entry; raises VeeamGone."""
        return inventory.password(self._object(operations.PASSWORD, password))

    def create_password(self, hint: str, secret: Secret) -> inventory.Password:
        """Make an encryption password, and return its entry."""
        body = {"password": _words(secret), "hint": hint}
        return inventory.password(_model(self._calls.change(operations.CREATE_PASSWORD, body=body)))

    def set_hint(self, password: UUID | str, hint: str) -> inventory.Password:
        """Change a password's hint and nothing else of its entry; the value stays."""
        entry = {**self._object(operations.PASSWORD, password), "hint": hint}
        answered = self._calls.change(operations.SET_HINT, _id(password), body=entry)
        return self.password(password) if answered is None else inventory.password(_model(answered))

    def change_password(self, password: UUID | str, hint: str, secret: Secret) -> None:
        """Give a password another value and hint; jobs use it from their next run on."""
        body = {"hint": hint, "password": _words(secret)}
        self._calls.change(operations.CHANGE_PASSWORD, _id(password), body=body)

    def verify_password(self, password: UUID | str, secret: Secret) -> bool:
        """Say whether Veeam holds this very value; raises VerifyBlocked after too many wrong ones."""
        body = {"password": _words(secret)}
        result = _model(self._calls.change(operations.VERIFY_PASSWORD, _id(password), body=body))
        if reading.flag(result.get("isSuccessful")):
            return True
        if refusals.tells_of_a_block(result.get("message")):
            raise refusals.verify_blocked()
        return False

    def delete_password(self, password: UUID | str) -> None:
        """Delete a password; raises FourEyesRefused where Veeam's own four eyes stand in the way."""
        self._calls.change(operations.DELETE_PASSWORD, _id(password))

    def kms_servers(self) -> Iterator[reading.Model]:
        """Hand out the key management servers as they were read."""
        return self._calls.entries(operations.KMS_SERVERS, order="Name")

    # Jobs

    def jobs(self) -> Iterator[dict[str, Any]]:
        """Hand out the whole models of all jobs, as they were read."""
        found = self._calls.entries(operations.JOBS, order="Name", size=_JOBS_A_PAGE, keep_numbers=True)
        return map(dict, found)

    def job(self, job: UUID | str) -> dict[str, Any]:
        """Return a job's whole model as it was read; raises VeeamGone."""
        return dict(self._object(operations.JOB, job))

    def put_job(self, job: UUID | str, model: Mapping[str, Any]) -> dict[str, Any]:
        """Send a job's whole model, and return it as the server says that it has it now.

        The caller read it just before and changed it with `blocks.patched`: what is missing would be lost.
        """
        if reading.uuid_or_none(model.get("id")) != _id(job):
            raise VeeamUnexpected("The model that should be sent is another job's.")
        answered = self._calls.change(operations.PUT_JOB, _id(job), body=dict(model))
        return self.job(job) if answered is None else dict(_model(answered))

    def start_job(self, job: UUID | str, *, full: bool = False) -> inventory.Session | None:
        """Start a job and return its session; None where it has nothing to process."""
        begun = self._calls.change(operations.START_JOB, _id(job), body={"performActiveFull": full})
        return None if begun is None else inventory.session(_model(begun))

    def job_states(self) -> Iterator[reading.Model]:
        """Hand out the states of all jobs as they were read."""
        return self._calls.entries(operations.JOB_STATES, order="Name")

    def session(self, session: UUID | str) -> inventory.Session:
        """Return a session; raises VeeamGone."""
        return inventory.session(self._object(operations.SESSION, session))

    # Where backups are

    def repositories(self) -> Iterator[reading.Model]:
        """Hand out the repositories as they were read."""
        return self._calls.entries(operations.REPOSITORIES, order="Name")

    def repository_states(self) -> Iterator[reading.Model]:
        """Hand out the space of the repositories as it was read."""
        return self._calls.entries(operations.REPOSITORY_STATES, order="Name")

    def scale_out_repositories(self) -> Iterator[reading.Model]:
        """Hand out the scale-out repositories with their tiers, as they were read."""
        return self._calls.entries(operations.SCALE_OUT, order="Name")

    def backups(self) -> Iterator[reading.Model]:
        """Hand out the backups as they were read."""
        return self._calls.entries(operations.BACKUPS, order="CreationTime")

    def restore_points(self, created_after: datetime | None = None) -> Iterator[inventory.Point]:
        """Hand out restore points in the order of their making; those without a time are left out."""
        query = {} if created_after is None else {"createdAfterFilter": _time(created_after)}
        found = self._calls.entries(
            operations.RESTORE_POINTS, order="CreationTime", query=query, size=_POINTS_A_PAGE
        )
        return filter(None, map(inventory.point, found))

    # The server's own settings

    def config_backup(self) -> inventory.ConfigurationBackup:
        """Return the backup of the server's configuration."""
        return inventory.configuration_backup(self._object(operations.CONFIG_BACKUP))

    def users(self) -> Iterator[inventory.User]:
        """Hand out users and groups; from revision 1.3-rev1 on."""
        return map(inventory.user, self._calls.entries(operations.USERS, order="Name"))

    def roles(self) -> Iterator[inventory.Role]:
        """Hand out the roles; from revision 1.3-rev1 on."""
        return map(inventory.role, self._calls.entries(operations.ROLES, order="Name"))

    def event_forwarding(self) -> inventory.Forwarding:
        """Return where events are sent and which are muted; from revision 1.3-rev1 on."""
        return inventory.forwarding(self._object(operations.EVENT_FORWARDING))

    def analyzer_start(self) -> inventory.Session:
        """Start Veeam's analyzer, and return its session."""
        return inventory.session(_model(self._calls.change(operations.ANALYZER_START)))

    def analyzer_last_run(self) -> inventory.Session | None:
        """Return the analyzer's last session; None where it never ran."""
        try:
            return inventory.session(self._object(operations.ANALYZER_LAST_RUN))
        except VeeamGone:
            return None

    def analyzer_results(self) -> tuple[inventory.Finding, ...]:
        """Return the analyzer's findings; none where it never ran."""
        try:
            found = self._object(operations.ANALYZER_RESULTS).get("items")
        except VeeamGone:
            return ()
        listed = found if isinstance(found, list) else []
        return tuple(inventory.finding(reading.model(one, "a finding")) for one in listed)

    def authorization_events(self, after: datetime | None = None) -> Iterator[inventory.FourEyesEvent]:
        """Hand out the requests of Veeam's own four-eyes authorization, which can only be read."""
        query = {} if after is None else {"createdAfterFilter": _time(after)}
        found = self._calls.entries(operations.FOUR_EYES, order="CreationTime", query=query)
        return map(inventory.four_eyes_event, found)

    def _object(self, operation: operations.Operation, *ids: UUID | str) -> reading.Model:
        return _model(self._calls.read(operation, *map(_id, ids)))


def _model(value: object) -> reading.Model:
    return reading.model(value, "a call")


def _id(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else reading.identity(value, "a call")


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _words(secret: Secret) -> str:
    try:
        return secret.reveal().decode()
    except UnicodeDecodeError:
        pass
    # Raised here: the decoder's own exception holds the bytes.
    raise VeeamUnexpected("Veeam's passwords are texts; this one is none.")
