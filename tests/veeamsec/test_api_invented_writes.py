"""Invented calls that write: no server error, no ignored authentication, no answer that is not described."""

from typing import Any

import pytest

from tests.approvals.conftest import ask, job, make_job, pending, people, transactional  # noqa: F401
from tests.pages.conftest import encrypted  # noqa: F401
from tests.veeamsec.inventing import OPERATIONS, identities, ids, invent, unlimited  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("label", [label for label in OPERATIONS if not label.startswith("GET ")])
def test_no_invented_call_breaks_anything(label: str, ids: Any, identities: Any) -> None:  # noqa: F811
    invent(label, ids, identities)
