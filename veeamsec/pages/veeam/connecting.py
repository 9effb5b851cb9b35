"""The way to a new server: address, certificate compared, account, first import."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from audit.errors import Refused
from encryption import selectors
from encryption.crypto.secret import Secret
from encryption.services.veeam import enforcement, looking
from encryption.services.veeam import servers as services
from veeamsec.pages.forms.veeam import ConnectForm, LookForm, SettingsForm
from veeamsec.pages.veeam import servers
from veeamsec.pages.viewer import sent, viewer_of


@require_http_methods(["GET", "POST"])
def connect(request: HttpRequest) -> HttpResponse:
    """Where is it? The worker then reads its certificate."""
    viewer, form = viewer_of(request), LookForm(sent(request))
    services.check_administrator(viewer)
    if form.is_valid():
        try:
            look = looking.ask(form.cleaned_data["address"], form.cleaned_data["port"], by=viewer)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("veeam_look", look.pk)
    return render(request, "pages/veeam/connect.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@sensitive_post_parameters("password")
@sensitive_variables("form", "data")
@require_http_methods(["GET", "POST"])
def look(request: HttpRequest, look_id: UUID) -> HttpResponse:
    """Is it the right one? Then the account, and the first import begins."""
    viewer = viewer_of(request)
    found = looking.result(look_id, by=viewer)
    form = ConnectForm(sent(request))
    if found.seen and form.is_valid():
        data = form.cleaned_data
        try:
            server = services.connect(
                by=viewer,
                name=data["name"],
                address=found.address,
                port=found.port,
                thumbprint=found.seen["thumbprint"],
                account=data["account"],
                password=Secret(data["password"].encode()),
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The server is connected. Nothing is changed there; it is being read.")
            return redirect("veeam_server", server.pk)
    context = {"look": found, "form": form, "waits": found.done_at is None}
    return render(request, "pages/veeam/look.html", context, status=400 if form.errors else 200)


@require_safe
def progress(request: HttpRequest, server_id: UUID) -> HttpResponse:
    """How far an import is, as a fragment; the page is loaded anew when it has ended."""
    server = get_object_or_404(selectors.veeam_servers_for(viewer_of(request)), pk=server_id)
    response = render(request, "pages/veeam/progress.html", {"progress": server.progress})
    if not servers.is_busy(server):
        response["HX-Refresh"] = "true"
    return response


@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, server_id: UUID) -> HttpResponse:
    """How a server is held."""
    viewer = viewer_of(request)
    services.check_administrator(viewer)
    server = get_object_or_404(selectors.veeam_servers_for(viewer), pk=server_id)
    held = {"mode": server.mode, "emergency_account": server.emergency_account}
    form = SettingsForm(sent(request), initial=held)
    if form.is_valid():
        try:
            _hold(server.pk, form.cleaned_data, viewer)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "How this server is held is changed.")
            return redirect("veeam_server", server.pk)
    context = {"server": server, "form": form}
    return render(request, "pages/veeam/settings.html", context, status=400 if form.errors else 200)


def _hold(server: UUID, data: dict[str, str], by: User) -> None:
    if data["mode"] == "off":
        services.disconnect(server, by=by)
    else:
        account = data["emergency_account"]
        enforcement.set_mode(server, mode=data["mode"], by=by, emergency_account=account)
