"""`python -m veeamsec.peer`: a server for a person, until its time is over, `quit`, or its parent ends."""

import argparse
import contextlib
import json
import os
import select
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from veeamsec.peer.console import HELP, Unclear, obey
from veeamsec.peer.revisions import REVISION_OF_BUILD
from veeamsec.peer.seeds import SEEDS
from veeamsec.peer.serving import NEWEST, Peer, serve

_LOOK_SECONDS = 0.5
_SAID = "veeam-peer.json"


def main() -> int:
    """Serve, obey the lines of standard input, end in time."""
    given = _parser().parse_args()
    sizes = {"jobs": given.jobs, "points": given.points} if given.seed == "large" else {}
    until = time.monotonic() + given.minutes * 60
    with serve(given.seed, port=given.port, build=given.build, **sizes) as peer:
        peer.control.at.options.vendor_form = given.vendor_form
        peer.control.at.tokens.lifetime = given.token_seconds
        if given.syslog:
            _forward(peer, given.syslog)
        said = _leave(peer, given.home)
        _say(f"A veeam-peer ({given.seed}) answers at {peer.url} for {given.minutes} minutes.")
        _say(f"Its certificate's SHA-256 is {peer.thumbprint}.")
        _say(f"Accounts and values are in {said}. Type help.")
        try:
            for line in _lines(until):
                _answer(peer, line)
        except (EOFError, KeyboardInterrupt):
            _say("Ended.")
        finally:
            said.unlink(missing_ok=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m veeamsec.peer",
        description=(__doc__ or "").strip(),
        epilog=f"Lines of standard input:\n\n{HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=9419, help="on 127.0.0.1; 0 for a free one")
    parser.add_argument(
        "--home", type=Path, default=Path("var/veeam-peer"), help="where it tells its accounts"
    )
    parser.add_argument("--seed", choices=sorted(SEEDS), default="story")
    parser.add_argument("--jobs", type=int, default=1_000, help="of the seed large")
    parser.add_argument("--points", type=int, default=200_000, help="of the seed large")
    parser.add_argument("--build", choices=sorted(REVISION_OF_BUILD), default=NEWEST)
    parser.add_argument("--syslog", metavar="HOST:PORT[/udp|tcp|tls[/THUMB]]", help="who receives events")
    parser.add_argument("--minutes", type=float, default=120, help="it ends by itself after these")
    parser.add_argument("--token-seconds", type=int, default=900, help="what expires_in says")
    parser.add_argument("--vendor-form", action="store_true", help="answer as the vendor's examples do")
    return parser


def _forward(peer: Peer, receiver: str) -> None:
    place, _, rest = receiver.partition("/")
    protocol, _, thumbprint = rest.partition("/")
    host, _, port = place.rpartition(":")
    peer.control.send_events_to(host, int(port), (protocol or "udp").capitalize(), thumbprint)


def _leave(peer: Peer, home: Path) -> Path:
    """Write down who may sign in with what: a test's values, for the eyes of this user alone."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / _SAID
    path.unlink(missing_ok=True)
    content = {
        "url": peer.url,
        "address": peer.address,
        "port": peer.port,
        "thumbprint": peer.thumbprint,
        "thumbprint_sha1": peer.thumbprint_sha1,
        "accounts": {name: one.password for name, one in peer.accounts.items()},
        "encryption_passwords": {one.hint: one.value for one in peer.control.at.passwords.values()},
    }
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=1)
    return path


def _lines(until: float) -> Iterator[str]:
    """Lines of standard input, until the time is over or the parent is gone; its end ends nothing."""
    parent = os.getppid()
    listening = sys.stdin is not None and not sys.stdin.closed
    while time.monotonic() < until and os.getppid() == parent:
        if not listening:
            time.sleep(_LOOK_SECONDS)
            continue
        ready, _, _ = select.select([sys.stdin], [], [], _LOOK_SECONDS)
        if ready:
            line = sys.stdin.readline()
            listening = line != ""
            if line.strip():
                yield line


def _answer(peer: Peer, line: str) -> None:
    try:
        _say(obey(peer.control, line))
    except Unclear as unclear:
        _say(str(unclear))


def _say(text: str) -> None:
    # A reader that is gone is no reason to end.
    with contextlib.suppress(OSError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
