"""What the environment may say, and what production refuses."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from veeamsec import environment
from veeamsec.home import Home

SAFE = {
    "VEEAMSEC_PRODUCTION": "1",
    "VEEAMSEC_ORIGIN": "https://veeamsec.example.com",
    "DATABASE_URL": "postgres://db.example.com/veeamsec?sslmode=verify-full",
    "CELERY_BROKER_URL": "rediss://broker.example.com/0",
    "EMAIL_URL": "smtp+tls://mail.example.com:587",
    "VEEAMSEC_PROCESS": "worker",
    "VEEAMSEC_ROOTS": "/srv",
}

OTHERS = ("CREDENTIALS_DIRECTORY", "DEBUG", "VEEAMSEC_BEHIND_PROXY", "VEEAMSEC_HOME", "VEEAMSEC_KEYS")


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Set the environment; None removes a variable."""
    for name in (
        *SAFE,
        "CREDENTIALS_DIRECTORY",
        "VEEAMSEC_HOME",
        "VEEAMSEC_KEYS",
        "VEEAMSEC_BEHIND_PROXY",
        "DEBUG",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 1001)

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
    "name",
    ["VEEAMSEC_ORIGIN", "DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL", "VEEAMSEC_HOME", "VEEAMSEC_ROOTS"],
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "1"),
        ("CELERY_BROKER_URL", "redis://broker.example.com/0"),
        ("DATABASE_URL", "postgres://db.example.com/veeamsec"),
        ("DATABASE_URL", "postgres://me:secret@localhost/veeamsec"),
    ],
)
def test_production_refuses_by_name_what_is_unsafe(told, name, value):
    with pytest.raises(ImproperlyConfigured, match=f"{name}: "):
        told(**{**SAFE, name: value})


@pytest.mark.parametrize("process", ["worker", "enterprise"])
@pytest.mark.parametrize("said", ["vault", "systemd", "pkcs11:token=t", "kmip://h?ca=/absent"])
def test_production_refuses_a_wrong_key_provider_by_name(told, process, said):
    with pytest.raises(ImproperlyConfigured, match="VEEAMSEC_KEYS: "):
        told(**{**SAFE, "VEEAMSEC_PROCESS": process, "VEEAMSEC_KEYS": said})


def test_production_wants_a_proxy_before_the_web(told, tmp_path):
    with pytest.raises(ImproperlyConfigured, match="VEEAMSEC_BEHIND_PROXY"):
        told(**{**SAFE, "VEEAMSEC_PROCESS": "web"})


def test_production_refuses_root(told, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(ImproperlyConfigured, match="worker runs as root"):
        told(**SAFE)


def test_production_refuses_the_home_of_a_demo(told, tmp_path):
    (tmp_path / "credentials.json").touch()
    with pytest.raises(ImproperlyConfigured, match="a demo's home"):
        told(**SAFE)


def test_production_refuses_a_home_that_others_write(told, tmp_path):
    tmp_path.chmod(0o777)
    with pytest.raises(ImproperlyConfigured, match="others can write it"):
        told(**SAFE)


@pytest.mark.parametrize("process", ["web", "worker", "beat"])
def test_production_refuses_one_user_for_two_key_folders(told, tmp_path, process):
    Home(tmp_path).make()
    with pytest.raises(ImproperlyConfigured, match=f"the user of {process} can read it"):
        told(**{**SAFE, "VEEAMSEC_PROCESS": process})


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


def test_a_database_is_reached_by_a_folder_of_sockets(told):
    found = environment.database(told(DATABASE_URL="postgres://%2Frun%2Fpostgresql/veeamsec"))
    assert (found["HOST"], found["NAME"]) == ("/run/postgresql", "veeamsec")


def test_beat_has_no_database(told):
    assert "dummy" in environment.database(told(VEEAMSEC_PROCESS="beat"))["ENGINE"]


def test_the_cache_is_another_database_of_the_broker(told):
    assert environment.cache(told(CELERY_BROKER_URL="redis://broker:6379/0")) == "redis://broker:6379/1"


def test_the_cache_of_a_broker_on_a_socket_is_there_too(told):
    found = told(CELERY_BROKER_URL="redis+socket:///run/veeamsec/valkey.sock")
    assert environment.cache(found) == "unix:///run/veeamsec/valkey.sock?db=1"


def test_a_secret_key_that_others_can_read_is_refused(told, tmp_path):
    Home(tmp_path).make()
    (tmp_path / "keys" / "web" / "secret_key").chmod(0o644)
    with pytest.raises(ImproperlyConfigured, match="secret_key"):
        environment.secret_key(told())


def test_a_worker_has_not_the_webs_secret_key(told, tmp_path):
    Home(tmp_path).make()
    theirs = (tmp_path / "keys" / "web" / "secret_key").read_text()
    assert environment.secret_key(told(VEEAMSEC_PROCESS="worker")) != theirs
