"""The addresses of an installation that names a provider."""

from django.urls import include, path

from accounts.urls import oidc_urlpatterns
from veeamsec.urls import handler400, handler403, handler404, handler500
from veeamsec.urls import urlpatterns as house

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("account/", include(oidc_urlpatterns)), *house]
