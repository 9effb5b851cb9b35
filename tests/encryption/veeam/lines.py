"""Lines of Veeam's syslog, as its manual shows them."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from encryption.models import VeeamEvent
from encryption.services.veeam import events

ADDED, CHANGED, DELETED, VERIFIED, JOB = 31600, 31700, 31800, 31850, 23050
SOMEBODY, OURS = r"TECH\user1", r"TECH\veeamsec"


def line(number: int, at: datetime, host: str = "vbr01", **fields: Any) -> bytes:
    """One event, with nested quotes where Veeam has them."""
    said = "".join(f' {name}="{value}"' for name, value in fields.items())
    return (
        f'<14>1 {at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {host} Veeam_MP - - [origin enterpriseId="31023"] '
        f'[categoryId=0 instanceId={number}{said} VbrHostName="{host}" VbrVersion="13.0.1.180" Version="1"'
        f' Description="Something of {number}."]'
    ).encode()


def password_line(number: int, subject: object, at: datetime, user: str = SOMEBODY, **more: Any) -> bytes:
    """An event about an encryption password."""
    info = '<ModifiedUserInfo fullName="a b" loginType="0" />'
    fields = {"Hint": "Gold", "ID": subject, "ChangesXML": "<changes />", "UserName": user}
    return line(number, at, **(fields | {"UserFullInfo": info} | more))


def job_line(subject: object, at: datetime, user: str = SOMEBODY, changes: str = "<changes />") -> bytes:
    """An event about a job."""
    return line(JOB, at, JobID=subject, JobName="Mail", ChangesXML=changes, UserName=user)


def arrived(data: bytes, at: datetime | None = None) -> Any:
    """A line as the receiver hands it on."""
    return SimpleNamespace(line=data, at=at or datetime.now(UTC), peer="127.0.0.1", transport="tcp")


def receive(*data: bytes, at: datetime | None = None) -> list[VeeamEvent]:
    """Store lines, and return their rows as they came."""
    before = set(VeeamEvent.objects.values_list("pk", flat=True))
    events.store([arrived(one, at) for one in data])
    return list(VeeamEvent.objects.exclude(pk__in=before).order_by("happened_at"))


def soon(minutes: float = 1) -> datetime:
    """A moment after now."""
    return datetime.now(UTC) + timedelta(minutes=minutes)
