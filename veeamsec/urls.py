"""Every address, in one place; each app brings its own."""

import sys
from importlib import import_module

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from accounts.urls import account_urlpatterns
from veeamsec.health import healthz

handler400 = "veeamsec.errors.bad_request"
handler403 = "veeamsec.errors.forbidden"
handler404 = "veeamsec.errors.not_found"
handler500 = "veeamsec.errors.broken"

api_urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("account/", include(account_urlpatterns)),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api_urlpatterns)),
]
for app in ("audit", "accounts", "encryption", "approvals", "veeamsec.pages"):
    try:
        module = import_module(f"{app}.urls")
    except Exception as error:  # noqa: BLE001
        print(f"{app}.urls is left out: {error}", file=sys.stderr)  # noqa: T201
        continue
    api_urlpatterns.extend(getattr(module, "api_urlpatterns", []))
    if getattr(module, "urlpatterns", None):
        urlpatterns.append(path("", include(f"{app}.urls")))
