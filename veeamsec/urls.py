"""Every address, in one place; each app brings its own."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

import accounts.urls
import approvals.urls
import audit.urls
import encryption.urls
from veeamsec import spectacular  # noqa: F401  # registers how tokens are described
from veeamsec.health import healthz, readyz

handler400 = "veeamsec.errors.bad_request"
handler403 = "veeamsec.errors.forbidden"
handler404 = "veeamsec.errors.not_found"
handler500 = "veeamsec.errors.broken"

api_urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    *audit.urls.api_urlpatterns,
    *accounts.urls.api_urlpatterns,
    *encryption.urls.api_urlpatterns,
    *approvals.urls.api_urlpatterns,
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("account/", include(accounts.urls.account_urlpatterns)),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api_urlpatterns)),
    path("", include("veeamsec.pages.urls")),
]
