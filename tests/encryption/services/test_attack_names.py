"""P5: what an approver reads as one job is no other one."""

import pytest

from encryption.errors import JobRefused
from encryption.services import jobs

pytestmark = pytest.mark.django_db

MISLEADING = ["Led\u202egers", "Ledgers\u200b ", "Led\ngers", "\u2066Books\u2069", "Bo\x1boks"]
ALIKE = ["ledgers", " Ledgers", "Ledgers ", "\uff2cedgers", "Led\u00adgers", "Led\u200cgers", "LEDGERS"]


@pytest.mark.parametrize("name", MISLEADING)
def test_p5_name_that_shows_as_another_is_refused(job_maker, name):
    """P5"""
    with pytest.raises(JobRefused, match="does not show"):
        job_maker(name)


@pytest.mark.parametrize("name", ALIKE)
def test_p5_name_that_looks_like_another_is_taken(job_maker, name):
    """P5: case, width, space and invisible signs make no other name."""
    with pytest.raises(JobRefused, match="taken"):
        job_maker(name)


def test_p5_repositories_too(bench, tmp_path):
    """P5"""
    with pytest.raises(JobRefused, match="taken"):
        jobs.create_repository(by=bench.user, name="SHELF", location=str(tmp_path / "other"))


@pytest.mark.parametrize("name", ["Ledgers 2", "Löhne & Gehälter", "給与台帳", "می\u200cخواهم"])
def test_other_names_are_other_names(job_maker, name):
    assert job_maker(name).name == name


def test_a_job_keeps_its_own_name(bench):
    assert jobs.change_job(bench.job.pk, by=bench.user, name="LEDGERS").name == "LEDGERS"
