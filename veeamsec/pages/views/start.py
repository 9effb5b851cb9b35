"""Behind a one-time link: a person sets the password that they alone know."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import selectors
from accounts.errors import Invalid, LinkInvalid
from accounts.models import EnrolmentLink, Title
from accounts.services import security_role
from veeamsec.pages.forms.start import StartForm
from veeamsec.pages.viewer import sent


@login_not_required
@never_cache
@sensitive_post_parameters("password", "again")
@sensitive_variables("form")
@require_http_methods(["GET", "POST"])
def first_start(request: HttpRequest, token: str) -> HttpResponse:
    """Show whose link it is, and take the password; looking at it does not use it up."""
    link = selectors.enrolment(token)
    if link is None:
        if request.method == "POST":
            _refuse(request, token)
        return render(request, "pages/start.html", {"form": None}, status=404)
    form = StartForm(sent(request), initial={"username": link.user.username})
    if request.method == "POST" and form.is_valid():
        try:
            data = form.cleaned_data
            security_role.enrol(
                token, password=data["password"], username=data["username"], address=_address(request)
            )
        except Invalid as refused:
            form.add_error("password", str(refused))
        else:
            messages.success(request, "Your password is set. Sign in with it now.")
            return redirect("account_login")
    context = {
        "form": form,
        "person": link.user.person.name,
        "username": link.user.username,
        "seat": _seat(link),
        "must_enrol": selectors.is_founding(link.user),
    }
    return render(request, "pages/start.html", context, status=400 if form.errors else 200)


def _refuse(request: HttpRequest, token: str) -> None:
    """Have the refusal of a link counted in the log."""
    try:
        security_role.enrol(token, password="", address=_address(request))
    except LinkInvalid:
        return


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _seat(link: EnrolmentLink) -> str:
    if link.seat == EnrolmentLink.For.FOUNDER:
        return f"Security · {Title(link.title).label}" if link.title else "Security"
    if link.seat == EnrolmentLink.For.ADMINISTRATOR:
        return EnrolmentLink.For.ADMINISTRATOR.label
    return selectors.user_label(link.user).partition(" · ")[2] or "somebody without a role yet"
