"""The frame around every page: where one can go, what waits there, who is here, how fresh the log's proof is."""

from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts import selectors as accounts
from veeamsec.pages import words


@dataclass(frozen=True)
class Item:
    """One place in the navigation; `late` ones stand in the menu only on a phone."""

    label: str
    icon: str
    url: str
    on: bool
    late: bool = False
    count: int = 0
    counted: str = ""


@dataclass(frozen=True)
class Proof:
    """How the log stands."""

    icon: str
    tone: str
    words: str


@dataclass(frozen=True)
class Frame:
    """All that base.html draws."""

    name: str = ""
    role: str = ""
    demo: bool = False
    items: list[Item] = field(default_factory=list)
    log: Proof = Proof("circle-check", "", "Log")


# Route name → label, icon, the routes that belong to it, and whether a phone keeps it in the menu.
PLACES = {
    "overview": ("Overview", "layout-dashboard", (), False),
    "requests": ("Requests", "inbox", ("request", "ask_"), False),
    "jobs": ("Jobs", "server-2", ("job", "restore", "rekey"), False),
    "passwords": ("Passwords", "key", ("password",), False),
    "repositories": ("Repositories", "database", ("repositor",), True),
    "people": ("People", "users", ("people",), True),
    "alarms": ("Alarms", "bell", ("alarm",), False),
    "log": ("Log", "history", ("log",), True),
}


def frame_of(request: HttpRequest) -> Frame:
    """Read what the frame of this request's page shows."""
    if not request.user.is_authenticated:
        return Frame()
    name, _, role = accounts.user_label(request.user).partition(" · ")
    return Frame(name=name, role=role or "No role yet", demo=settings.VEEAMSEC_DEMO, items=_items(request, {}))


def _items(request: HttpRequest, counts: dict[str, tuple[int, str]]) -> list[Item]:
    here = (request.resolver_match.url_name if request.resolver_match else "") or ""
    items = []
    for route, (label, icon, family, late) in PLACES.items():
        count, noun = counts.get(route, (0, ""))
        on = here == route or any(here.startswith(one) for one in family)
        counted = words.count(count, noun) if count else ""
        items.append(Item(label, icon, reverse(route), on, late, count, counted))
    return items
