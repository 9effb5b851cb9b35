"""The analyzer over a large installation: seconds and queries for all checks, as the worker runs them."""

import os
import sys
import time
from pathlib import Path

from bench.children import on_a_private_database
from bench.table import Line

JOBS, POINTS = 1_000, 200_000


def measure(_folder: Path) -> list[Line]:
    """Fill a private database and run every check, first with nothing remembered, then again."""
    lines = on_a_private_database("bench.compliance")
    return [Line(name, float(seconds), "s", said, None, "< 20") for name, seconds, said in lines]


def main() -> None:
    """Fill the database that the environment names, then print one line a run."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "veeamsec.settings"
    django.setup()
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from audit import services as audit
    from bench import crowd
    from compliance.services import analyzing

    crowd.people()
    crowd.jobs(JOBS, POINTS)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    for name in ("analyzer, first run", "analyzer, next run"):
        assessment = analyzing.ask(by=audit.CONSOLE)
        began = time.perf_counter()
        with CaptureQueriesContext(connection) as queries:
            done = analyzing.analyze(assessment.pk)
        took = time.perf_counter() - began
        size = f"{JOBS:,} jobs, {POINTS:,} restore points"
        said = f"{size}, {done.findings.count()} checks, {len(queries)} queries"
        sys.stdout.write(f"{name}\t{took}\t{said}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
