"""The database as a stream: pg_dump and pg_restore of the machine, or those that a wheel carries."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from django.db import connection
from psycopg import pq
from psycopg.conninfo import make_conninfo

from veeamsec.programs import client_folder


class DatabaseFailed(Exception):
    """pg_dump or pg_restore did not do it; the text is what they said."""


@contextlib.contextmanager
def dump() -> Iterator[BinaryIO]:
    """One consistent snapshot, in PostgreSQL's custom format. Raises DatabaseFailed at the end."""
    words = ["--format=custom", "--no-owner", "--no-privileges", "--lock-wait-timeout=60s"]
    with _running("pg_dump", words, stdout=subprocess.PIPE) as process:
        yield process.stdout


def restore(content: Any) -> None:
    """Bring a dump into the empty database, all of it or nothing. Raises DatabaseFailed."""
    if not is_empty():
        raise DatabaseFailed("The database holds tables already; only an empty one is restored into.")
    words = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    with _running("pg_restore", words, stdin=subprocess.PIPE) as process:
        # What pg_restore found wrong is told when it has ended.
        with contextlib.suppress(BrokenPipeError):
            shutil.copyfileobj(content, process.stdin)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def is_empty() -> bool:
    """Say whether the database has no table of anybody."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
        [count] = cursor.fetchone()
    connection.close()
    return bool(count == 0)


@contextlib.contextmanager
def _running(program: str, words: list[str], **pipes: int) -> Iterator[Any]:
    folder = client_folder(program, _server_version())
    command = [str(folder / program), "--no-password", *words, f"--dbname={_conninfo()}"]
    told = {"PATH": os.defpath, "LC_ALL": "C"}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=told, stderr=said, **pipes)  # type: ignore[call-overload]
        try:
            yield process
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.wait():
            said.seek(0)
            raise DatabaseFailed(f"{program}: {said.read().decode(errors='replace').strip()[-1000:]}")


def _server_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        [number] = cursor.fetchone()
    connection.close()
    return int(number) // 10_000


def _conninfo() -> str:
    """How this process comes to the database; the password stays in its file."""
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    given = connection.get_connection_params()
    return make_conninfo(**{name: value for name, value in given.items() if name in known and value})
