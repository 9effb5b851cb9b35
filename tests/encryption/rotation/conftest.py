"""What tests of a rotation begin with."""

from pathlib import Path

import pytest

from tests.encryption.rotation import held
from veeamsec.home import Home


@pytest.fixture
def worker(db: None, vsec_home: Home) -> Path:
    """The worker's key folder, with something in every column under its key."""
    held.everything()
    return vsec_home.keys / "worker"
