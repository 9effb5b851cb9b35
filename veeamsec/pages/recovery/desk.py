"""The Enterprise Manager's desk: keysets, backup servers, recovery cases of both sides."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Role, User
from approvals.models import Kind
from approvals.services import requests
from audit.errors import Refused
from encryption.errors import EngineError
from recovery.documents import forms as documents
from recovery.models import BackupServer, EnterpriseTask, Keyset, LossProtection
from recovery.services import identity, keysets, renewing, servers
from veeamsec.pages import reading, signs
from veeamsec.pages.forms.recovery import AutomaticForm, GenerateForm, RevokeForm, TakeForm, TextForm
from veeamsec.pages.recovery.cases import of_both_sides
from veeamsec.pages.signs import Sign
from veeamsec.pages.viewer import demand, sent, viewer_of

_KEYSETS = {
    Keyset.State.INACTIVE: Sign(signs.QUIET, "Inactive"),
    Keyset.State.ACTIVE: Sign(signs.ACT, "In force", "shield-check"),
    Keyset.State.RETIRED: Sign(signs.QUIET, "Retired, still recovers"),
    Keyset.State.DELETED: Sign(signs.REFUSE, "Deleted"),
}
_SERVERS = {
    BackupServer.State.OFFERED: Sign(signs.WAIT, "Offered, not compared yet"),
    BackupServer.State.REGISTERED: Sign(signs.QUIET, "Registered"),
    BackupServer.State.REVOKED: Sign(signs.REFUSE, "Revoked"),
}


def may_run(viewer: User) -> bool:
    """Whether somebody may ask for what the Enterprise Manager does."""
    return viewer.is_security or viewer.has_role(Role.ENTERPRISE)


@require_safe
def recovery(request: HttpRequest) -> HttpResponse:
    """What would help if a password were lost, and what is being recovered."""
    viewer = viewer_of(request)
    demand(viewer, "encryption.view_encryptionpassword")
    active = Keyset.objects.filter(state=Keyset.State.ACTIVE).first()
    context = {
        "active": active,
        "keysets": [_keyset(one) for one in Keyset.objects.all()],
        "servers": [_server(one) for one in BackupServer.objects.all()],
        "cases": of_both_sides(viewer),
        "exports": _exports(viewer),
        "protection": LossProtection.objects.filter(pk=1).first(),
        "may_run": may_run(viewer),
        "may_ask_case": viewer.has_perm("encryption.restore_job"),
    }
    return render(request, "pages/recovery/desk.html", context)


def _keyset(one: Keyset) -> dict[str, Any]:
    return {
        "id": one.pk,
        "name": str(one),
        "suite": one.suite,
        "own": one.own,
        "sign": _KEYSETS[Keyset.State(one.state)],
        "activated": one.activated_at,
        "expires": one.expires_at,
        "exported": one.exported_at,
        "announced": one.announcement is not None,
        "state": one.state,
    }


def _server(one: BackupServer) -> dict[str, Any]:
    return {
        "id": one.pk,
        "name": one.name,
        "own": one.own,
        "fingerprint": documents.in_groups(one.fingerprint),
        "sign": _SERVERS[BackupServer.State(one.state)],
        "offered": one.state == BackupServer.State.OFFERED,
        "revocable": not one.own and one.state != BackupServer.State.REVOKED,
    }


def _exports(viewer: User) -> list[EnterpriseTask]:
    if not may_run(viewer):
        return []
    return list(EnterpriseTask.objects.filter(action="export", state="done").exclude(result="")[:5])


@require_http_methods(["GET", "POST"])
def generate(request: HttpRequest) -> HttpResponse:
    """Wish for a new keyset."""
    viewer, form = viewer_of(request), GenerateForm(sent(request))
    keysets.check_may_ask(viewer)
    if form.is_valid():
        keysets.generate(by=viewer, **form.cleaned_data)
        messages.success(request, "The keyset is being generated. Ask to activate it next.")
        return redirect("recovery")
    context = {
        "form": form,
        "heading": "Generate a keyset",
        "lead": "The enterprise worker makes it. Its private half never leaves that worker but by an export.",
        "submit": "Generate",
    }
    return render(request, "pages/recovery/form.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def take_keyset(request: HttpRequest) -> HttpResponse:
    """Show what another installation announces, to be compared before anything is asked."""
    viewer = viewer_of(request)
    keysets.check_may_ask(viewer)
    form = TakeForm(sent(request), request.FILES or None)
    if form.is_valid():
        wish = {name: form.cleaned_data[name] for name in ("text", "reason")}
        try:
            seen = requests.preview(Kind.TAKE_KEYSET, by=viewer, **wish)
        except (Refused, EngineError) as refused:
            form.add_error(None, getattr(refused, "message", "") or str(refused))
        else:
            shown = {"preview": reading.of(seen.statement), "wish": wish}
            return render(request, "pages/recovery/take.html", shown)
    context = {
        "form": form,
        "heading": "Take another installation's keyset",
        "lead": "For a backup server whose Enterprise Manager runs elsewhere: paste what that announced;"
        " it is read first, and counts once Security approves.",
        "submit": "Read it",
        "upload": True,
    }
    return render(request, "pages/recovery/form.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def offer_server(request: HttpRequest) -> HttpResponse:
    """Take a backup server's registration."""
    viewer = viewer_of(request)
    keysets.check_may_ask(viewer)
    form = TextForm(sent(request), request.FILES or None)
    if form.is_valid():
        try:
            servers.offer(form.cleaned_data["text"], by=viewer)
        except (Refused, EngineError) as refused:
            form.add_error(None, getattr(refused, "message", "") or str(refused))
        else:
            messages.success(request, "The server is offered. Compare its fingerprint first.")
            return redirect("recovery")
    context = {
        "form": form,
        "heading": "Register a backup server",
        "lead": "Paste what the backup server printed. It counts once Security approves.",
        "submit": "Take it",
        "upload": True,
    }
    return render(request, "pages/recovery/form.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def automatic(request: HttpRequest) -> HttpResponse:
    """Set whether keysets are made by themselves."""
    viewer = viewer_of(request)
    keysets.check_may_ask(viewer)
    held = LossProtection.objects.filter(pk=1).first() or LossProtection()
    now = {"automatic": held.automatic, "suite": held.suite, "weeks": held.retention_weeks}
    form = AutomaticForm(sent(request), initial=now)
    if form.is_valid():
        renewing.configure(by=viewer, **form.cleaned_data)
        messages.success(request, "It is set. Every activation still waits for Security.")
        return redirect("recovery")
    context = {
        "form": form,
        "heading": "Keysets made by themselves",
        "lead": "A keyset is in force for some weeks. The next one is made a week before, and stays inactive"
        " until Security activates it; until then the former one goes on.",
        "submit": "Set",
    }
    return render(request, "pages/recovery/form.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, server_id: UUID) -> HttpResponse:
    """End the registration of a backup server."""
    viewer, form = viewer_of(request), RevokeForm(sent(request))
    keysets.check_may_ask(viewer)
    server = get_object_or_404(BackupServer, pk=server_id, own=False)
    if form.is_valid():
        servers.revoke(server_id, by=viewer, reason=form.cleaned_data["reason"])
        messages.success(request, f"{server} is being revoked: its requests are refused from then on.")
        return redirect("recovery")
    context = {
        "form": form,
        "heading": f"Revoke {server}",
        "lead": "Requests that it signs are refused, for good: it can only come back with new keys,"
        " registered anew. What it wrote until now is still recovered, through another registered server.",
        "submit": "Revoke it",
    }
    return render(request, "pages/recovery/form.html", context, status=400 if form.errors else 200)


@require_safe
def own_text(request: HttpRequest) -> HttpResponse:
    """This backup server's registration, to carry to an Enterprise Manager."""
    demand(viewer_of(request), "encryption.view_encryptionpassword")
    own = get_object_or_404(BackupServer, own=True)
    context = {
        "heading": "This backup server's registration",
        "lead": "Carry it to the Enterprise Manager, and compare the fingerprint by another way.",
        "fingerprint": documents.in_groups(own.fingerprint),
        "text": identity.text_of(own),
    }
    return render(request, "pages/recovery/text.html", context)


@require_safe
def announcement(request: HttpRequest, keyset_id: UUID) -> HttpResponse:
    """A keyset's public half, to carry to backup servers."""
    demand(viewer_of(request), "encryption.view_encryptionpassword")
    keyset = get_object_or_404(Keyset, pk=keyset_id)
    context = {
        "heading": f"{keyset}: announcement",
        "lead": "Carry it to each backup server that is another installation, and compare the fingerprint by"
        " another way.",
        "fingerprint": documents.in_groups(keysets.fingerprint_of(keyset)),
        "text": keysets.announcement_text(keyset),
    }
    return render(request, "pages/recovery/text.html", context)


@require_safe
def export(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """An exported keyset, for who runs the Enterprise Manager."""
    viewer = viewer_of(request)
    keysets.check_may_ask(viewer)
    task = get_object_or_404(EnterpriseTask, pk=task_id, action="export", state="done")
    context = {
        "heading": "An exported keyset",
        "lead": "Store it away from this installation, and its passphrase away from it.",
        "text": task.result,
    }
    return render(request, "pages/recovery/text.html", context)
