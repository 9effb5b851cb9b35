"""What a test promises that is marked with `pytest.mark.finds`: in a run of it, the analyzer answered so."""

from compliance.checks import Status
from compliance.models import Finding


def assert_found(status: str, *codes: str) -> None:
    """Assert that a run of the analyzer found this of each check. ValueError for no status."""
    rows = Finding.objects.filter(found=Status(status), code__in=codes)
    missing = sorted(set(codes) - set(rows.values_list("code", flat=True)))
    assert not missing, f"no run found {status} of {', '.join(missing)}"
