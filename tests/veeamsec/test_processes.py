"""What web and workers do before and beside their work."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from gunicorn.config import Config

from veeamsec import gunicorn_conf
from veeamsec.celery import Guard
from veeamsec.celery import app as celery
from veeamsec.roles import TriggersDiffer, trigger_modules


def line(path: str) -> str:
    logger = gunicorn_conf.QuietLogger(Config())
    response = SimpleNamespace(status="200 OK", sent=1, headers=[])
    request = SimpleNamespace(headers=[])
    environ = {
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": "GET",
        "RAW_URI": f"{path}?code=secret",
        "PATH_INFO": path,
        "QUERY_STRING": "code=secret",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    return gunicorn_conf.access_log_format % logger.atoms(response, request, environ, timedelta(0))


def test_a_query_is_not_logged():
    """P9: what is typed into an address does not reach a log."""
    assert "secret" not in line("/requests/")


def test_a_one_time_link_is_not_logged():
    """P9: a link's token does not reach a log."""
    assert "t0ken" not in line("/start/t0ken/")


def test_a_path_is_logged():
    assert '"GET /requests/" 200' in line("/requests/")


@pytest.mark.django_db
def test_a_worker_refuses_a_database_without_a_trigger():
    table, name = sorted(trigger_modules()[0].TRIGGER_NAMES)[0]
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TRIGGER "{name}" ON "{table}"')
    with pytest.raises(TriggersDiffer):
        Guard(None).start(None)


def test_every_worker_asks_the_guard():
    assert Guard in celery.steps["worker"]


def test_messages_are_json_alone():
    assert (celery.conf.accept_content, celery.conf.task_serializer) == (["json"], "json")


def test_nothing_is_kept_as_a_result():
    """P9: a task's result could hold a secret."""
    assert (celery.conf.result_backend, celery.conf.task_ignore_result) == (None, True)
