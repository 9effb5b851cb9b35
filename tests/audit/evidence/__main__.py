"""`DJANGO_SETTINGS_MODULE=veeamsec.settings python -m tests.audit.evidence` writes the worked example."""

import django

django.setup()

from .document import write  # noqa: E402

write()
