"""The Celery app. The outbox in the database is the truth; the broker only rings."""

import os
import signal
from typing import Any

from celery import Celery, bootsteps
from celery.signals import worker_process_init

from veeamsec.servers import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "veeamsec.settings")

app = Celery("veeamsec")
app.config_from_object("veeamsec.celeryconfig")


class Guard(bootsteps.StartStopStep):
    """A worker does not start on a database whose triggers are not ours."""

    requires = ("celery.worker.components:Timer",)

    def start(self, parent: Any) -> None:
        """Compare the triggers. Raises TriggersDiffer."""
        from veeamsec.roles import assert_triggers

        assert_triggers()


app.steps["worker"].add(Guard)


@worker_process_init.connect
def end_with_the_worker(**_: object) -> None:
    """A pool's child does not outlive a killed worker: its task is handed out again."""
    die_with_parent(signal.SIGKILL)
