"""A real rsyslogd on 127.0.0.1: its own configuration, certificates and files; stopped and killed at will."""

import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.audit.forwarding.certificates import Authority, Pair

PROGRAM = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
_FOLDERS = [Path("/usr/lib/rsyslog"), Path("/usr/lib64/rsyslog"), *Path("/usr/lib").glob("*/rsyslog")]
DRIVERS = [name for name in ("gtls", "ossl") if any((at / f"lmnsd_{name}.so").exists() for at in _FOLDERS)]
# Direct queues: a message is in the file before the next is read, so what it took survives its kill.
CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="16k" defaultNetstreamDriver="{driver}"
       defaultNetstreamDriverCAFile="{folder}/authority.pem"
       defaultNetstreamDriverCertFile="{folder}/server.pem"
       defaultNetstreamDriverKeyFile="{folder}/server.key")
main_queue(queue.type="Direct")
module(load="imtcp" streamDriver.name="{driver}" streamDriver.mode="1" streamDriver.authMode="{auth}")
template(name="told" type="string" string="%structured-data% %msg%\\n")
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="in")
ruleset(name="in" queue.type="Direct") {{
  action(type="omfile" file="{folder}/received" template="told" flushOnTXEnd="on" queue.type="Direct")
}}
"""
_TOLD = re.compile(r'\[veeamsec@32473 entry="(\d+)" [^\n]*?leaf="([0-9a-f]{64})"\]')


class Collector:
    """One rsyslogd; `start` and `kill` as often as wanted."""

    def __init__(self, folder: Path, authority: Authority, driver: str) -> None:
        self.folder, self.client = folder, authority.signed("client")
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._write(authority.signed(), authority)
        text = CONFIGURATION.format(folder=folder, driver=driver, port=self.port, auth="x509/certvalid")
        (folder / "rsyslog.conf").write_text(text)

    def start(self) -> None:
        words = [PROGRAM, "-n", "-C", "-f", self.folder / "rsyslog.conf", "-i", self.folder / "pid"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log)
        ends = time.monotonic() + 15
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < ends, (self.folder / "log").read_text()
                time.sleep(0.02)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None
        (self.folder / "pid").unlink(missing_ok=True)

    def received(self) -> list[int]:
        """Return the numbers of the entries in the order in which they came, duplicates and all."""
        file = self.folder / "received"
        return [int(found[0]) for found in _TOLD.findall(file.read_text())] if file.exists() else []

    def leaves(self) -> dict[int, str]:
        """Return each entry's leaf hash as it was received."""
        return {int(number): leaf for number, leaf in _TOLD.findall((self.folder / "received").read_text())}

    def _write(self, server: Pair, authority: Authority) -> None:
        (self.folder / "authority.pem").write_text(authority.pair.certificate)
        (self.folder / "server.pem").write_text(server.certificate)
        (self.folder / "server.key").write_bytes(server.key)
        (self.folder / "server.key").chmod(0o600)


def without_duplicates(numbers: list[int]) -> list[int]:
    """Keep the first of each, in their order: what a receiver does by the entry's number."""
    return list(dict.fromkeys(numbers))
