"""What tests of services share beside the bench: a job whose rows are lost."""

import pytest

from tests.encryption.adopted import forget
from tests.encryption.conftest import Bench


@pytest.fixture
def lost(activated: Bench) -> Bench:
    """Three encrypted restore points, a full and two increments, of which no row is left."""
    points = [activated.run() for _ in range(3)]
    activated.points = {point.pk: point for point in points}  # type: ignore[attr-defined]
    forget()
    return activated
