"""The written tables of events and alarms are those of the code; `make events` writes them."""

import pytest

from tests.house import events_document as document


@pytest.mark.parametrize(
    ("path", "table"), [(document.EVENTS, document.events), (document.ALARMS, document.alarms)]
)
def test_written_table_is_the_code_s(path, table):
    assert path.read_text().partition(document.HEADING)[2] == table()
