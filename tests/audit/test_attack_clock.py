"""A clock that is set back hides no rollback of the database."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit import services as audit
from audit.services import outside

pytestmark = pytest.mark.django_db


def test_the_largest_note_is_the_newest_after_the_clock_was_set_back(signing, write):
    write(3)
    audit.sign_checkpoint()
    write(2)
    made = audit.sign_checkpoint()
    outside.write(9, timezone.now() - timedelta(days=400), made.note)
    assert outside.size_of(outside.newest()) == 9


def test_a_day_that_was_far_ahead_does_not_stay_the_newest(signing, write):
    write(2)
    first = audit.sign_checkpoint()
    outside.write(4, timezone.now() + timedelta(days=3650), first.note)
    outside.write(7, timezone.now(), first.note)
    assert outside.size_of(outside.newest()) == 7
