"""The demo as a process of its own, with passwords that are known beforehand; at its end, all is looked at.

`python -m tests.faults.play HOME LOOT`: what rows, broker and refusals hold while all runs goes to LOOT.
"""

import itertools
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import redis

from veeamsec import servers
from veeamsec.demo import cast, story, theatre
from veeamsec.demo.stage import API
from veeamsec.home import Home

WORD = "Kanarienvogel-{:02}-Zwiebel-88-Turm"
_numbers = itertools.count(1)


def known_passphrase(words: int = 5) -> str:
    """A pass phrase that the search knows."""
    return WORD.format(next(_numbers))


def rows(home: Home) -> str:
    """Every row of every table, by the server's superuser."""
    with psycopg.connect(**servers.superuser(home) | {"dbname": "veeamsec"}) as connection:
        tables = connection.execute("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'").fetchall()
        return "\n".join(
            text for (table,) in tables for (text,) in connection.execute(f"SELECT t::text FROM {table} t")
        )


def broker(home: Home) -> bytes:
    """Every key and value that the Redis-compatible server holds, as it would dump them."""
    found = b""
    for number in range(3):
        client = redis.Redis(unix_socket_path=str(home.sockets / "valkey.sock"), db=number)
        for key in client.scan_iter():
            found += key + (client.dump(key) or b"")
            if client.type(key) == b"string":
                found += client.get(key) or b""
        client.close()
    return found


def overhear(home: Home, loot: Path) -> None:
    """Write down whatever anybody sends to broker and cache, from the first moment on."""
    while not (home.path / "logs" / "valkey.log").exists():
        time.sleep(0.01)
    # Where the sockets are is settled once the home is made.
    while not (path := home.sockets / "valkey.sock").exists():
        time.sleep(0.01)
    time.sleep(0.2)
    with socket.socket(socket.AF_UNIX) as listener, (loot / "overheard").open("wb") as file:
        listener.connect(str(path))
        listener.sendall(b"MONITOR\r\n")
        while heard := listener.recv(65536):
            file.write(heard)
            file.flush()


def refusals(told: story.Story) -> str:
    """What the product answers when a request with a password in it cannot be taken."""
    wish: dict[str, Any] = {"kind": "activate_encryption", "new_password": told.second, "jobs": []}
    bodies = [wish, wish | {"jobs": ["no-uuid"]}, wish | {"new_password": [told.first]}, wish | {"reason": 7}]
    answers = [told.clients["olivia"].post(f"{API}/requests/", body) for body in bodies]
    assert all(400 <= answer.status < 500 for answer in answers)
    return "\n".join(answer.text for answer in answers)


def main(home: Path, loot: Path) -> None:
    """Play, and leave the loot."""
    cast.passphrase = story.passphrase = known_passphrase
    leave = theatre.leave_credentials

    def look(*given: Any) -> None:
        leave(*given)
        (loot / "refusals").write_text(refusals(given[2]))
        (loot / "rows").write_text(rows(Home(home)))
        (loot / "broker").write_bytes(broker(Home(home)))

    theatre.leave_credentials = look
    threading.Thread(target=overhear, args=(Home(home), loot), daemon=True).start()
    theatre.perform(home, 0)
    sys.stdout.flush()
    # Whoever listens is not waited for.
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
