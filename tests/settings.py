"""The product's settings with what tests alone need: cheap sign-in hashes and unhashed static files."""

import os

from veeamsec.settings import *  # noqa: F403
from veeamsec.settings import CACHES, MIDDLEWARE

PASSWORD_HASHERS = ["tests.hashers.CheapArgon2"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Each worker of pytest-xdist empties a cache of its own.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
CACHES["default"]["LOCATION"] = CACHES["default"]["LOCATION"].replace("db=1", f"db={2 + _worker}")
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
VEEAMSEC_VEEAM_LOCAL = True
MIDDLEWARE = ["tests.roles.AsWeb", *MIDDLEWARE]
