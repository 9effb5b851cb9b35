"""The stack, a veeam-peer that sends its events to it, the people, and the story."""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from veeamsec.demo.cast import bootstrap_file, cast
from veeamsec.demo.home import fresh
from veeamsec.demo.telling import Teller, wait_for
from veeamsec.demo.theatre import OBSERVE_SECONDS, manage, sealed, sign_in
from veeamsec.demo_veeam.story import Story
from veeamsec.peer import Peer, serve
from veeamsec.supervisor import stack


def perform(home: Path, port: int) -> None:
    """Play everything on a fresh home. Raises DemoFailed with what did not happen."""
    fresh(home)
    events = _free_port()
    os.environ |= {
        "VEEAMSEC_OBSERVE_SECONDS": OBSERVE_SECONDS,
        "VEEAMSEC_SYSLOG_UDP": str(events),
        # The peer answers on this very machine.
        "VEEAMSEC_VEEAM_LOCAL": "1",
    }
    tell, players = Teller(), cast()
    with ExitStack() as running:
        with tell.step("A Veeam server with three years of backups, and VeeamSec beside it, start"):
            peer = running.enter_context(_peer(events))
            url = running.enter_context(stack(home, port))
            tell.say(f"the veeam-peer answers at {peer.url}, with {len(peer.control.jobs())} jobs")
        with tell.step("The people arrive: two of Security, an administrator, an operator, an auditor"):
            people = json.dumps(bootstrap_file(players))
            tell.say(manage(home, url, "bootstrap", "--file", "/dev/stdin", text=people))
            clients = sign_in(players, url)
            wait_for("the Security Role to be sealed", lambda: sealed(clients["dora"]))
        began = tell.seconds
        Story(home, clients, peer, tell).play()
        with tell.step("The log is verified, entry by entry, against the signed checkpoints"):
            tell.say(manage(home, url, "verify_audit"))
        took = tell.seconds - began
    tell.say(f"\nAll of it took {tell.seconds:.0f} s, {took:.0f} s of them after the set-up.")
    tell.say(f"The report of the first hour is {home / 'report.html'}.")
    tell.say("Try it yourself: `python -m veeamsec.peer` is a server to connect.")


@contextlib.contextmanager
def _peer(events: int) -> Iterator[Peer]:
    with serve("story") as peer:
        peer.control.send_events_to(peer.address, events)
        yield peer


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
