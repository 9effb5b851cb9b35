"""One process of an installation: `python -m veeamsec.process web`, as units and containers start it.

The command lines are those of `make run`; what differs is only where the web listens and who the user is.
"""

import os
import resource
import sys
from pathlib import Path

from veeamsec.children import PROJECT, commands
from veeamsec.home import Home


def main(name: str) -> None:
    """Become the process `name`; socket and schedule lie in RUNTIME_DIRECTORY, as systemd names it."""
    run = Path(os.environ.get("RUNTIME_DIRECTORY", "/run/veeamsec"))
    home = Home(Path(os.environ["VEEAMSEC_HOME"]))
    bind = os.environ.get("VEEAMSEC_BIND") or f"unix:{run / 'web.sock'}"
    found = {one.name: one for one in commands(bind=bind, schedule=run / "schedule")}
    if name not in found:
        sys.exit(f"There is no process {name}: {', '.join(found)}.")
    os.umask(0o077)
    # A core dump would hold keys.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.chdir(PROJECT)
    os.environ |= {
        "VEEAMSEC_PROCESS": found[name].process,
        "VEEAMSEC_HOME": str(home.path),
        "PYTHONUNBUFFERED": "1",
    }
    os.execv(sys.executable, [sys.executable, *found[name].arguments])  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")
