"""What is queued is registered, and what beat names exists."""

from audit.queue import Task
from veeamsec import celeryconfig
from veeamsec.celery import app


def test_every_queued_name_is_registered():
    assert {str(task) for task in Task} - set(app.tasks) == set()


def test_every_name_of_beat_is_registered():
    assert {entry["task"] for entry in celeryconfig.beat_schedule.values()} - set(app.tasks) == set()


def test_every_name_has_a_queue():
    router = app.amqp.router
    queues = {str(task): router.route({}, str(task))["queue"].name for task in Task}
    assert set(queues.values()) == {"execute", "data", "enterprise"}


def test_a_task_is_acknowledged_only_when_it_is_done():
    assert (app.conf.task_acks_late, app.conf.task_reject_on_worker_lost) == (True, True)


def test_the_broker_waits_longer_than_a_task_may_take():
    assert app.conf.broker_transport_options["visibility_timeout"] > app.conf.task_time_limit
