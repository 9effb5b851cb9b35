"""Veeam servers: connected by an administrator, spoken to by the worker alone.

The account's password arrives sealed to the worker's intake key for this very address, certificate and
account; the worker seals it anew, bound to the same. A row that was altered opens no password.
"""

import re
from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5

from django.views.decorators.debug import sensitive_variables

from accounts.errors import NotEligible
from accounts.models import Role, User
from audit import queue
from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.services.alarms import resolve_alarm_within
from encryption.crypto.encoding import canonical
from encryption.crypto.secret import Secret
from encryption.engines.veeam.client import Pin, VeeamClient
from encryption.engines.veeam.inventory import ServerInfo
from encryption.errors import SealBroken, ServerRefused, Unknown, VeeamRefused, VeeamUntrusted
from encryption.models import Engine, Repository, VeeamServer
from encryption.services import intake, jobs, resting
from encryption.services.resting import Column
from encryption.services.veeam import addresses

COLUMN = Column(VeeamServer, "sealed_secret", lambda row: f"account {place_of(row).bound}")
_THUMBPRINT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LONGEST_AUTHORITY = 65_536


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is, how it is known again, and as whom we come."""

    address: str
    port: int
    thumbprint: str
    authority: str
    account: str

    @property
    def bound(self) -> str:
        """Return what the account's password is bound to."""
        return canonical(
            {
                "account": self.account,
                "address": self.address,
                "authority": self.authority,
                "port": self.port,
                "thumbprint": self.thumbprint,
            }
        ).decode()

    @property
    def pin(self) -> Pin:
        """Return how the certificate is judged."""
        return Pin(thumbprint=self.thumbprint or None, ca_pem=self.authority or None)


@sensitive_variables("password")
def connect(
    *,
    by: User,
    name: str,
    address: str,
    account: str,
    password: Secret,
    port: int = 9419,
    thumbprint: str = "",
    authority: str = "",
) -> VeeamServer:
    """Connect a Veeam server and ring for its first import; nothing is changed there.

    Raises NotEligible, ServerRefused, JobRefused for a name that is taken.
    """
    with audit.attempt(by=by, subject="veeam server") as attempt:
        check_administrator(by)
        place = _place(address, port, thumbprint, authority, account)
        repository = Repository(id=uuid4(), name=name, engine=Engine.VEEAM)
        repository.location = f"{place.address}:{place.port}"
        jobs.check_name(repository)
        server = VeeamServer(repository=repository)
        _offer(server, place, password)
        with attempt.act():
            repository.save(force_insert=True)
            server.save(force_insert=True)
            audit.record(Event.VEEAM_CONNECTED, subject=repository, facts=_facts(place))
            queue.ring(queue.Task.VEEAM_IMPORT, repository.pk)
    return server


@sensitive_variables("password")
def change_credentials(
    repository_id: UUID,
    *,
    by: User,
    password: Secret,
    address: str | None = None,
    port: int | None = None,
    thumbprint: str | None = None,
    authority: str | None = None,
    account: str | None = None,
) -> VeeamServer:
    """Change how we come to a server; what is None stays. The password is always asked for anew.

    A server that was disconnected is watched again. Raises NotEligible, ServerRefused, Unknown.
    """
    with audit.act(by=by, subject=("encryption.repository", repository_id)):
        check_administrator(by)
        server = locked(repository_id)
        place = _place(
            server.address if address is None else address,
            server.port if port is None else port,
            server.thumbprint if thumbprint is None else thumbprint,
            server.authority if authority is None else authority,
            server.account if account is None else account,
        )
        _offer(server, place, password)
        if server.mode == VeeamServer.Mode.OFF:
            server.mode = VeeamServer.Mode.WATCHING
        fields = ["address", "port", "thumbprint", "authority", "account", "offered_secret", "mode"]
        server.save(update_fields=fields)
        audit.record(Event.VEEAM_CHANGED, facts=_facts(place))
        queue.ring(queue.Task.VEEAM_IMPORT, repository_id)
    return server


def disconnect(repository_id: UUID, *, by: User) -> VeeamServer:
    """Stop reading a server; what is known of it stays. Raises NotEligible, Unknown."""
    with audit.act(by=by, subject=("encryption.repository", repository_id)):
        check_administrator(by)
        server = locked(repository_id)
        if server.mode != VeeamServer.Mode.OFF:
            former, server.mode = server.mode, VeeamServer.Mode.OFF
            server.save(update_fields=["mode"])
            audit.record(Event.VEEAM_DISCONNECTED, facts={"former_mode": former})
            for kind in (Kind.UNOBSERVED, Kind.VEEAM_NOT_ENFORCED):
                resolve_alarm_within(kind, server.repository)
    return server


def check_administrator(by: User) -> None:
    """Refuse everybody but a Backup administrator; by membership, for a superuser passes `has_perm`."""
    if not by.has_role(Role.ADMINISTRATOR):
        raise NotEligible("Backup administrators alone connect Veeam servers and say how they are held.")


def locked(repository_id: UUID) -> VeeamServer:
    """Return a server under the caller's lock. Raises Unknown."""
    rows = VeeamServer.objects.select_for_update(of=("self",)).select_related("repository")
    server = rows.filter(pk=repository_id).first()
    if server is None:
        raise Unknown("There is no such Veeam server.")
    return server


def client_for(server: VeeamServer) -> VeeamClient:
    """Return a client that is not connected yet, in the worker.

    Raises SealBroken when the row is not the one that the password was given for, VeeamUnreachable for an
    address that is not allowed.
    """
    place = place_of(server)
    addresses.check(place.address, place.port)
    return VeeamClient(
        place.address,
        place.port,
        place.pin,
        place.account,
        _account_password(server, place),
        revision=server.revision or None,
    )


def identify(server: VeeamServer, client: VeeamClient) -> ServerInfo:
    """Return which installation answers, as far as the account may know. Raises VeeamUntrusted."""
    try:
        info = client.server_info()
    except VeeamRefused:
        # Administrators alone are told; the pinned certificate stands for it then.
        return ServerInfo(None, "", "", "")
    check_identity(server, info.vbr_id)
    return info


def check_identity(server: VeeamServer, vbr_id: UUID | None) -> None:
    """Refuse a server that is not the one that was read before. Raises VeeamUntrusted."""
    if server.vbr_id is not None and vbr_id is not None and server.vbr_id != vbr_id:
        raise VeeamUntrusted(
            "Another Veeam installation answers under this address than before; nothing was read."
            " Connect it as a server of its own."
        )


def place_of(server: VeeamServer) -> Place:
    """Return where a server is by its row."""
    return Place(server.address, server.port, server.thumbprint, server.authority, server.account)


def _account_password(server: VeeamServer, place: Place) -> Secret:
    if server.offered_secret is not None:
        return _take_offer(server, place)
    if server.sealed_secret is None:
        raise SealBroken("The account's password is missing: enter it again.")
    try:
        return Secret(resting.opened(COLUMN, server))
    except SealBroken as error:
        raise SealBroken(
            "Address, port, certificate or account are not those that the password was entered for: enter"
            " them again."
        ) from error


def _take_offer(server: VeeamServer, place: Place) -> Secret:
    offered = bytes(server.offered_secret or b"")
    password = intake.open_for(_owner(server.pk, place), offered)
    sealed = resting.sealed(COLUMN, server, password.reveal())
    # Another offer may have come meanwhile: that one stays for the next time.
    VeeamServer.objects.filter(pk=server.pk, offered_secret=offered).update(
        sealed_secret=sealed, offered_secret=None
    )
    return password


def _offer(server: VeeamServer, place: Place, password: Secret) -> None:
    if not password.reveal():
        raise ServerRefused("The account's password is missing.")
    server.address, server.port, server.account = place.address, place.port, place.account
    server.thumbprint, server.authority = place.thumbprint, place.authority
    server.offered_secret = intake.seal_for(_owner(server.pk, place), password)


def _owner(server: UUID, place: Place) -> UUID:
    """Return what an offered password is sealed for: this server in this place, and no other."""
    return uuid5(server, place.bound)


def _place(address: str, port: int, thumbprint: str, authority: str, account: str) -> Place:
    found = addresses.named(address, port)
    digits = re.sub(r"[\s:]", "", thumbprint).lower()
    if digits and not _THUMBPRINT.fullmatch(digits):
        raise ServerRefused("A thumbprint has 64 hexadecimal digits (SHA-256), or 40 (SHA-1).")
    if authority and (len(authority) > _LONGEST_AUTHORITY or "-----BEGIN CERTIFICATE-----" not in authority):
        raise ServerRefused("An authority is given as its certificate in PEM form.")
    if not digits and not authority:
        raise ServerRefused("Compare the certificate's thumbprint, or give the authority that signed it.")
    if not account.strip() or len(account) > 255:
        raise ServerRefused("The account's name is missing, or longer than 255 signs.")
    return Place(found, port, digits, authority.strip(), account.strip())


def _facts(place: Place) -> dict[str, object]:
    return {
        "address": place.address,
        "authority": bool(place.authority),
        "port": place.port,
        "thumbprint": place.thumbprint,
    }
