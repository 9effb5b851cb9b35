"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "veeamsec.settings")

application = get_wsgi_application()

from veeamsec.roles import assert_triggers  # noqa: E402

assert_triggers()
