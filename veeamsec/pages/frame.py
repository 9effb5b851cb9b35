"""The frame around every page: where one can go, what waits, who is here, how fresh the log's proof is."""

from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts import rules
from accounts import selectors as accounts
from accounts.models import User
from audit import selectors as audit
from audit.alarms import Kind
from audit.models import Alarm
from veeamsec.pages import words
from veeamsec.pages.viewer import viewer_of, waiting_for


@dataclass(frozen=True, slots=True)
class Item:
    """One place in the navigation; `late` ones stand in the menu only on a phone."""

    label: str
    icon: str
    url: str
    on: bool
    late: bool = False
    count: int = 0
    counted: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """How the log stands."""

    icon: str
    tone: str
    words: str


@dataclass(frozen=True, slots=True)
class Frame:
    """All that base.html draws."""

    name: str = ""
    role: str = ""
    demo: bool = False
    items: tuple[Item, ...] = ()
    log: Proof = field(default=Proof("history", "", "Log"))


@dataclass(frozen=True, slots=True)
class _Place:
    label: str
    icon: str
    family: tuple[str, ...] = ()
    late: bool = False
    permission: str = ""


# Route name → how it is called, the routes that belong to it, whether a phone hides it, who sees it.
_PLACES = {
    "overview": _Place("Overview", "layout-dashboard"),
    "requests": _Place("Requests", "inbox", ("request", "ask_")),
    "jobs": _Place("Jobs", "server-2", ("job", "restore", "session", "opens")),
    "passwords": _Place("Passwords", "key", ("password",), permission="encryption.view_encryptionpassword"),
    "repositories": _Place("Repositories", "database", late=True),
    "veeam": _Place("Veeam servers", "plug-connected", ("veeam",), late=True),
    "recovery": _Place(
        "Recovery", "lifebuoy", ("recovery",), late=True, permission="encryption.view_encryptionpassword"
    ),
    "custody": _Place("In your custody", "key", ("custody", "release"), late=True),
    "people": _Place("People", "users", ("seat",), late=True),
    "policies": _Place("Policies", "list-check", late=True, permission="approvals.view_policy"),
    "reports": _Place(
        "Reports", "file-certificate", ("report",), late=True, permission="compliance.view_report"
    ),
    "compliance": _Place(
        "Compliance", "shield-check", ("finding",), late=True, permission="compliance.view_finding"
    ),
    "alarms": _Place("Alarms", "bell", ("drifts",), permission="audit.view_alarm"),
    "log": _Place("Log", "history", ("events", "event_rows"), late=True, permission="audit.view_entry"),
}
_LOG_ALARMS = (Kind.LOG_ALTERED, Kind.LOG_ROLLED_BACK)


def frame_of(request: HttpRequest) -> Frame:
    """Read what the frame of this request's page shows."""
    if not isinstance(request.user, User):
        return Frame()
    viewer = viewer_of(request)
    alarms = list(audit.open_alarms())
    counts = {"requests": (len(waiting_for(request)), "waiting"), "alarms": (len(alarms), "open")}
    name, _, role = accounts.user_label(viewer).partition(" · ")
    return Frame(
        name=name,
        role=role or "No role yet",
        demo=settings.VEEAMSEC_DEMO,
        items=tuple(_items(request, viewer, counts)),
        log=_log(alarms),
    )


def _items(request: HttpRequest, viewer: User, counts: dict[str, tuple[int, str]]) -> list[Item]:
    here = (request.resolver_match.url_name if request.resolver_match else "") or ""
    held = rules.permissions(viewer.facts())
    items = []
    for route, place in _PLACES.items():
        if place.permission and place.permission not in held and not viewer.is_superuser:
            continue
        count, noun = counts.get(route, (0, ""))
        on = here == route or here.startswith(place.family)
        items.append(Item(place.label, place.icon, reverse(route), on, place.late, count, noun))
    return items


def _log(alarms: list[Alarm]) -> Proof:
    if any(alarm.kind in _LOG_ALARMS for alarm in alarms):
        return Proof("alert-circle", "refuse", "The log does not verify")
    found = audit.last_verification()
    if found is not None and found.findings:
        return Proof("alert-circle", "refuse", "The log does not verify")
    if found is not None:
        return Proof("circle-check", "seal", f"Log verified {words.ago(found.at, timezone.now())}")
    head = audit.head()
    if head is not None:
        return Proof("file-certificate", "", f"Log sealed {words.ago(head.time, timezone.now())}")
    return Proof("history", "", "Log not sealed yet")
