"""What the environment may say, and what production refuses."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from veeamsec import environment
from veeamsec.home import Home

SAFE = {
    "VEEAMSEC_PRODUCTION": "1",
    "VEEAMSEC_ORIGIN": "https://veeamsec.example.com",
    "DATABASE_URL": "postgres://db.example.com/veeamsec",
    "CELERY_BROKER_URL": "rediss://broker.example.com/0",
    "EMAIL_URL": "smtp+tls://mail.example.com:587",
    "VEEAMSEC_PROCESS": "beat",
}


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Set the environment; None removes a variable."""
    for name in (*SAFE, "VEEAMSEC_HOME"):
        monkeypatch.delenv(name, raising=False)

    def tell(**variables):
        for name, value in {"VEEAMSEC_HOME": str(tmp_path), **variables}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        return environment.read()

    return tell


def test_production_takes_a_safe_environment(told):
    assert told(**SAFE).secure


@pytest.mark.parametrize(
    "name", ["VEEAMSEC_ORIGIN", "DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL", "VEEAMSEC_HOME"]
)
def test_production_names_what_is_missing(told, name):
    with pytest.raises(ImproperlyConfigured, match=name):
        told(**{**SAFE, name: None})


def test_production_refuses_plain_http(told):
    with pytest.raises(ImproperlyConfigured, match="VEEAMSEC_ORIGIN: must be https"):
        told(**{**SAFE, "VEEAMSEC_ORIGIN": "http://veeamsec.example.com"})


def test_production_refuses_a_web_that_reads_the_workers_keys(told, tmp_path):
    Home(tmp_path).make()
    with pytest.raises(ImproperlyConfigured, match="keys/worker"):
        told(**{**SAFE, "VEEAMSEC_PROCESS": "web"})


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "http://[::1]:8000", "ftp://x", "nothing"])
def test_an_origin_without_a_name_is_refused(told, origin):
    with pytest.raises(ImproperlyConfigured, match="VEEAMSEC_ORIGIN"):
        told(VEEAMSEC_ORIGIN=origin)


def test_an_unknown_process_is_refused(told):
    with pytest.raises(ImproperlyConfigured, match="VEEAMSEC_PROCESS"):
        told(VEEAMSEC_PROCESS="root")


def test_credentials_of_the_database_stay_with_setup(told):
    found = environment.database(
        told(DATABASE_URL="postgres://admin:secret@db/veeamsec", VEEAMSEC_PROCESS="worker")
    )
    assert (found["USER"], "secret" in str(found)) == ("veeamsec_worker", False)


def test_beat_has_no_database(told):
    assert "dummy" in environment.database(told(VEEAMSEC_PROCESS="beat"))["ENGINE"]


def test_the_cache_is_another_database_of_the_broker(told):
    assert environment.cache(told(CELERY_BROKER_URL="redis://broker:6379/0")) == "redis://broker:6379/1"


def test_a_secret_key_that_others_can_read_is_refused(told, tmp_path):
    Home(tmp_path).make()
    (tmp_path / "keys" / "web" / "secret_key").chmod(0o644)
    with pytest.raises(ImproperlyConfigured, match="secret_key"):
        environment.secret_key(told())


def test_a_worker_has_not_the_webs_secret_key(told, tmp_path):
    Home(tmp_path).make()
    theirs = (tmp_path / "keys" / "web" / "secret_key").read_text()
    assert environment.secret_key(told(VEEAMSEC_PROCESS="worker")) != theirs
