"""Every address, in one place; each app brings its own."""

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

import accounts.urls
import approvals.urls
import audit.urls
import compliance.urls
import encryption.urls
import recovery.urls
from veeamsec import spectacular  # noqa: F401  # registers how tokens are described
from veeamsec.health import healthz, readyz
from veeamsec.metrics import Metrics

handler400 = "veeamsec.errors.bad_request"
handler403 = "veeamsec.errors.forbidden"
handler404 = "veeamsec.errors.not_found"
handler500 = "veeamsec.errors.broken"

api_urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    *audit.urls.api_urlpatterns,
    *accounts.urls.api_urlpatterns,
    *encryption.urls.api_urlpatterns,
    *recovery.urls.api_urlpatterns,
    *approvals.urls.api_urlpatterns,
    *compliance.urls.api_urlpatterns,
]

# Its script is a request of its own: the content policy refuses one inside the page.
api_page = SpectacularSwaggerSplitView.as_view(template_name="docs/api.html")

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", Metrics.as_view(), name="metrics"),
    path("account/", include(accounts.urls.account_urlpatterns)),
    # The console's own form would change a password without the second factor.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
    path("docs/api/", login_required(require_safe(api_page)), name="api_docs"),
    path("api/v1/", include(api_urlpatterns)),
    path("", include("veeamsec.pages.urls")),
]
