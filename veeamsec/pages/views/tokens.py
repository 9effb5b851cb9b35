"""Tokens of one's own account: made after a fresh proof, shown once, taken back at any time."""

from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import Invalid
from accounts.services import tokens
from veeamsec.pages.forms.token import TokenForm
from veeamsec.pages.viewer import sent, viewer_of


@never_cache
@sensitive_variables("token")
@reauthentication_required(app="allauth.mfa")  # type: ignore[untyped-decorator]
@require_http_methods(["GET", "POST"])
def token_new(request: HttpRequest) -> HttpResponse:
    """The form, and once the token itself."""
    viewer, form = viewer_of(request), TokenForm(sent(request))
    if form.is_valid():
        data = form.cleaned_data
        try:
            _, token = tokens.create_own(
                by=viewer, name=data["name"], days=data["days"], scopes=data["scopes"], interactive=True
            )
        except Invalid as refused:
            form.add_error(None, str(refused))
        else:
            return render(request, "pages/token.html", {"token": token, **data})
    return render(request, "pages/token.html", {"form": form}, status=400 if form.errors else 200)


@require_POST
def token_revoke(request: HttpRequest, reference: UUID) -> HttpResponse:
    """Take back one of one's own tokens."""
    tokens.revoke(reference, by=viewer_of(request))
    messages.success(request, "That token opens nothing any more.")
    return redirect("account")
