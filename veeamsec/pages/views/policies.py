"""The rules in force, in plain words, and the way to ask for others."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from approvals.models import Policy
from approvals.services import policies as rules
from approvals.services.kinds.policy_change import EVERYWHERE
from encryption.models import Repository
from veeamsec.pages import jobfile, rulebook
from veeamsec.pages.asking import may_ask_people
from veeamsec.pages.jobfile import OpenRequest
from veeamsec.pages.rulebook import Rule
from veeamsec.pages.viewer import demand, viewer_of


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one scope."""

    where: str
    number: int
    since: datetime
    sentences: list[Rule]
    procedure: str
    procedure_number: int
    questions: list[str]
    ask_url: str
    waits: OpenRequest | None


@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    """Every policy in force; repositories without their own follow the general one."""
    viewer = viewer_of(request)
    demand(viewer, "approvals.view_policy")
    in_force = rules.all_in_force()
    own = [policy.scope.pk for policy in in_force if policy.scope]
    others = Repository.objects.exclude(pk__in=own).order_by("name")
    context = {
        "policies": [_rules(policy) for policy in in_force],
        "others": [{"name": place.name, "ask_url": _ask(place.pk)} for place in others],
        "may_ask": may_ask_people(viewer),
    }
    return render(request, "pages/policies.html", context)


def _rules(policy: Policy) -> Rules:
    return Rules(
        where=policy.scope.name if policy.scope else "Everywhere",
        number=policy.number,
        since=policy.created_at,
        sentences=rulebook.rules_of(policy),
        procedure=policy.procedure_text,
        procedure_number=policy.procedure_version,
        questions=list(policy.procedure_questions),
        ask_url=_ask(policy.scope.pk if policy.scope else None),
        waits=jobfile.open_request(policy.scope.pk if policy.scope else EVERYWHERE),
    )


def _ask(scope: UUID | None) -> str:
    return reverse("ask_policy") + (f"?scope={scope}" if scope else "")
