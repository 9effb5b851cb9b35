"""A fresh home for the demo: only a home that a demo made is ever removed."""

import shutil
from pathlib import Path

from veeamsec.demo.client import DemoFailed
from veeamsec.home import Home
from veeamsec.supervisor import CannotStart, lock

MARK = "demo"


def fresh(path: Path) -> Path:
    """Remove what the last demo left and make the home anew; return the folder that its job backs up.

    Raises DemoFailed for a folder that no demo made, and while the last demo's home is in use.
    """
    if path.exists() and any(path.iterdir()) and not (path / MARK).exists():
        raise DemoFailed(f"{path} holds something else than a demo; name another VEEAMSEC_HOME.")
    source = path.with_name(f"{path.name}-source")
    if path.exists():
        try:
            with lock(Home(path)):
                _remove_servers(Home(path))
                shutil.rmtree(path)
        except CannotStart as error:
            raise DemoFailed(str(error)) from error
    shutil.rmtree(source, ignore_errors=True)
    path.mkdir(parents=True, mode=0o700)
    (path / MARK).touch()
    return source


def _remove_servers(home: Home) -> None:
    for folder in (home.data, home.sockets):
        if home.path not in folder.parents:
            shutil.rmtree(folder.parent, ignore_errors=True)
