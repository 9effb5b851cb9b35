"""A fresh home for the demo: only a home that a demo made is ever removed."""

import shutil
from pathlib import Path

from veeamsec import servers
from veeamsec.demo.client import DemoFailed
from veeamsec.home import Home
from veeamsec.supervisor import CannotStart, lock

MARK = "demo"


def fresh(path: Path) -> None:
    """Remove what the last demo left and make the home anew.

    Raises DemoFailed for a folder that no demo made, and while the last demo's home is in use.
    """
    if path.exists() and any(path.iterdir()) and not (path / MARK).exists():
        raise DemoFailed(f"{path} holds something else than a demo; name another VEEAMSEC_HOME.")
    if path.exists():
        try:
            with lock(Home(path)):
                servers.forget(Home(path))
                shutil.rmtree(path)
        except CannotStart as error:
            raise DemoFailed(str(error)) from error
    path.mkdir(parents=True, mode=0o700)
    (path / MARK).touch()
