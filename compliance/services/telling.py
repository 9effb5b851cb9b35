"""Telling Security and auditors by mail that the analyzer answers otherwise: a link, nothing more."""

from uuid import UUID

from django.conf import settings
from django.core.cache import cache

from accounts import selectors as people
from accounts.models import Role, RoleGrant, User
from accounts.services import notices
from compliance.models import Assessment, Finding

# Longer than a task is tried again.
KEEP = 7 * 24 * 3600


def changed(assessment: Assessment) -> set[str]:
    """Return the checks that answer otherwise than in the run before; none of the first run."""
    done = Assessment.objects.exclude(done_at=None).exclude(pk=assessment.pk)
    former = done.filter(done_at__lte=assessment.done_at).order_by("-done_at").first()
    if former is None:
        return set()
    before, after = _answers(former), _answers(assessment)
    return {code for code in after if after[code] != before.get(code)}


def _answers(assessment: Assessment) -> dict[str, str]:
    rows = Finding.objects.filter(assessment=assessment)
    return {row.code: row.status(assessment.done_at) for row in rows}


def tell(assessment_id: UUID) -> int:
    """Mail every member of Security and every auditor once, if something changed; return how many."""
    assessment = Assessment.objects.exclude(done_at=None).filter(pk=assessment_id).first()
    codes = set() if assessment is None else changed(assessment)
    if not codes:
        return 0
    many = "1 check answers" if len(codes) == 1 else f"{len(codes)} checks answer"
    text = f"{many} otherwise than before.\n{settings.VEEAMSEC_ORIGIN}/compliance/\n"
    sent, failed = 0, list[Exception]()
    for user in _readers():
        told = f"assessed-{assessment_id}-{user.pk}"
        if not cache.add(told, True, KEEP):
            continue
        try:
            sent += notices.mail(user.email or user.person.email, "What the analyzer finds has changed", text)
        except (OSError, ValueError) as error:
            # The next try tells them; the others need not wait for it.
            cache.delete(told)
            failed.append(error)
    if failed:
        raise failed[0]
    return sent


def _readers() -> list[User]:
    seats = [seat.user_id for seat in people.security_members()]
    auditors = RoleGrant.live().filter(role=Role.AUDITOR).values_list("user", flat=True)
    rows = User.objects.filter(pk__in=[*seats, *auditors], is_active=True).select_related("person")
    return list(rows.order_by("pk"))
