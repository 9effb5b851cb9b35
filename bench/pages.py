"""Pages of a large installation: milliseconds (95th percentile) and queries, in the web's database role."""

import importlib
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.children import on_a_private_database
from bench.table import Line
from veeamsec import servers
from veeamsec.home import Home

if TYPE_CHECKING:
    from accounts.models import User

JOBS, POINTS, REQUESTS, ENTRIES = 1_000, 100_000, 10_000, 50_000
ROUNDS, WARM = 30, 3


def measure(_folder: Path) -> list[Line]:
    """Fill a private database and ask each page again and again."""
    lines = on_a_private_database("bench.pages")
    return [Line(f"{name}, p95", float(p95), "ms", said, None, "< 60") for name, p95, said in lines]


def main() -> None:
    """Fill the database that the environment names, then print one line a page."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "veeamsec.settings"
    django.setup()
    from bench import crowd

    people = crowd.people()
    made = crowd.jobs(JOBS, POINTS)
    crowd.requests_of(people["olivia"], made, REQUESTS)
    crowd.entries(ENTRIES)
    become_the_web()
    job = made[1].pk
    pages = {
        "overview": ("dora", "/"),
        "jobs": ("olivia", "/jobs/"),
        "job page": ("olivia", f"/jobs/{job}/"),
        "inbox": ("dora", "/requests/"),
        "log": ("irene", "/log/"),
        "API jobs": ("olivia", "/api/v1/jobs/"),
        "API requests": ("dora", "/api/v1/requests/"),
        "API restore points": ("olivia", f"/api/v1/jobs/{job}/restore-points/"),
    }
    for name, (who, path) in pages.items():
        sys.stdout.write(page(name, people[who], path))
        sys.stdout.flush()


def become_the_web() -> None:
    """Load what gunicorn loads and come to the database as it does; statistics are those of a day's run."""
    import psycopg
    from django.db import connection

    home = Home(Path(os.environ["VEEAMSEC_HOME"]))
    place = servers.superuser(home) | {"dbname": connection.settings_dict["NAME"]}
    with psycopg.connect(**place, autocommit=True) as admin:
        admin.execute("VACUUM ANALYZE")
    connection.close()
    connection.settings_dict["USER"] = "veeamsec_web"
    connection.settings_dict["OPTIONS"]["passfile"] = str(home.passfile("web"))
    importlib.import_module("veeamsec.wsgi")


def page(name: str, user: "User", path: str) -> str:
    """Ask a page again and again; returns its name, milliseconds and what else is to be said, with tabs."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(HTTP_HOST="localhost:8000")
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    took = []
    for number in range(WARM + ROUNDS):
        began = time.perf_counter()
        answer = client.get(path)
        if number >= WARM:
            took.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code} {answer.headers.get('Location', '')}")
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    p95, median = statistics.quantiles(took, n=20)[-1], statistics.median(took)
    return f"{name}\t{p95}\tmedian {median:.0f} ms, {len(queries)} queries, {len(answer.content):,} bytes\n"


if __name__ == "__main__":
    main()
