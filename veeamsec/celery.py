"""The Celery app. The outbox in the database is the truth; the broker only rings."""

import os
from typing import Any

from celery import Celery, bootsteps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "veeamsec.settings")

app = Celery("veeamsec")
app.config_from_object("veeamsec.celeryconfig")


class Guard(bootsteps.StartStopStep):
    """A worker does not start on a database whose triggers are not ours."""

    requires = {"celery.worker.components:Timer"}

    def start(self, parent: Any) -> None:
        """Compare the triggers. Raises TriggersDiffer."""
        from veeamsec.roles import assert_triggers

        assert_triggers()


app.steps["worker"].add(Guard)
