"""Requests: the lists, one request with all that a decision needs, its record, and taking it back."""

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from approvals import selectors
from approvals.models import ApprovalRequest, State
from approvals.services import requests as requesting
from veeamsec.pages import dossier, progress, rows, words
from veeamsec.pages.viewer import page_of, viewer_of, waiting_for

# Name → label, heading of the third column, what an empty list says.
TABS = {
    "waiting": (
        "Waiting for me",
        "Decide by",
        ("Nothing waits for you", "Requests that you may decide appear here."),
    ),
    "mine": ("Asked by me", "Decided or due", ("You asked for nothing", "What you ask for appears here.")),
    "open": ("Open", "Decide by", ("Nothing is open", "Every request is decided.")),
    "decided": ("Decided", "Ended", ("Nothing was decided yet", "Ended requests stay here for ever.")),
}


@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """The lists of requests, one a tab."""
    viewer = viewer_of(request)
    waiting = waiting_for(request)
    open_ones = selectors.open_requests(viewer).prefetch_related("votes")
    lists: dict[str, list[ApprovalRequest] | QuerySet[ApprovalRequest]] = {
        "waiting": waiting,
        "mine": selectors.asked_by(viewer).prefetch_related("votes"),
        "open": open_ones,
        "decided": selectors.decided(viewer).prefetch_related("votes"),
    }
    counts = {"waiting": len(waiting), "open": open_ones.count()}
    chosen = request.GET.get("tab", "")
    chosen = chosen if chosen in TABS else ("waiting" if waiting or viewer.is_security else "open")
    label, when_label, empty = TABS[chosen]
    page = page_of(request, lists[chosen])
    context = {
        "lead": _lead(len(waiting)),
        "may_ask": viewer.has_perm("encryption.ask_change_job"),
        "tabs": [
            {"name": name, "label": texts[0], "on": name == chosen, "count": counts.get(name, 0)}
            for name, texts in TABS.items()
        ],
        "tab_label": label,
        "when_label": when_label,
        "rows": rows.request_rows(page, viewer, {one.pk for one in waiting}),
        "empty": {"title": empty[0], "text": empty[1]},
        "page": page,
        "query": f"tab={chosen}&",
    }
    return render(request, "pages/requests.html", context)


def _lead(waiting: int) -> str:
    if not waiting:
        return "Nothing waits for you."
    return f"{words.count(waiting, 'request')} {'waits' if waiting == 1 else 'wait'} for you."


@require_safe
def request_page(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One request: everything that a decision needs, or its record."""
    viewer = viewer_of(request)
    found = selectors.get_visible(request_id, viewer)
    return render(request, "pages/request.html", dossier.of(found, viewer))


@require_safe
def request_progress(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """How far an approved request is, as a fragment; the page is loaded anew when it has ended."""
    found = selectors.get_visible(request_id, viewer_of(request))
    response = render(request, "pages/progress.html", {"work": progress.rekey_of(found.rekey_id)})
    if selectors.state_at(found) != State.APPROVED:
        response["HX-Refresh"] = "true"
    return response


@require_safe
def request_print(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The one-page record, for paper."""
    viewer = viewer_of(request)
    found = selectors.get_visible(request_id, viewer)
    return render(request, "print/request.html", dossier.of(found, viewer) | {"now": timezone.now()})


@require_POST
def request_withdraw(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Take back one's own request."""
    requesting.withdraw(request_id, by=viewer_of(request), digest=request.POST.get("digest", ""))
    messages.success(request, "The request is withdrawn. Nothing changed.")
    return redirect("request", request_id)
