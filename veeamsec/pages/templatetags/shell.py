"""What stands around every page, for the templates."""

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.template.context import RequestContext

from accounts import selectors as accounts
from veeamsec.pages.frame import Frame, frame_of

register = template.Library()


@register.simple_tag(takes_context=True)
def shell(context: RequestContext) -> Frame:
    """The frame of this page, for the person who asked for it."""
    request: HttpRequest = context["request"]
    return frame_of(request)


@register.simple_tag
def provider() -> dict[str, str]:
    """The provider of identities that this installation names; empty without one."""
    apps = settings.SOCIALACCOUNT_PROVIDERS.get("openid_connect", {}).get("APPS", [])
    return {"id": apps[0]["provider_id"], "name": apps[0]["name"]} if apps else {}


@register.simple_tag
def bootstrapped() -> bool:
    """Whether anybody is set up; before that the sign-in page names the command."""
    return accounts.is_bootstrapped()
