"""What gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "veeamsec.settings")

application = get_wsgi_application()

from django.db import connection  # noqa: E402

from veeamsec import urls  # noqa: E402, F401  # read once, before the workers are forked
from veeamsec.roles import assert_triggers  # noqa: E402

assert_triggers()
connection.close()

# What is loaded once is never garbage: without this a full collection stops an answer for 80 to 130 ms,
# and its marks copy the memory that the forked workers share.
gc.collect()
gc.freeze()
