"""Security, people and rules on pages: shown, asked for, suspended with a step-up."""

import re
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import SecurityMember, Suspension, Title
from accounts.services import passkeys as passkey_service
from approvals.models import ApprovalRequest, Kind, Policy
from approvals.selectors import said_in
from tests.accounts import factories
from tests.accounts.soft_passkey import SoftPasskey
from tests.approvals.conftest import fresh_code, new_policy, roster, sign_roster  # noqa: F401
from tests.pages.conftest import as_user, text_of
from veeamsec.pages import reading, seats

pytestmark = pytest.mark.django_db
REASON = "The seat was vacant for long."


def seat_of(user: Any) -> SecurityMember:
    return SecurityMember.objects.get(user=user, until=None)


def asked(client: Any, name: str, **fields: Any) -> ApprovalRequest:
    """Ask by form, and return the request."""
    response = client.post(reverse(name), {"reason": REASON} | fields)
    assert response.status_code == 302, re.findall(r"Nothing was asked.*|errorlist.*", text_of(response))
    return ApprovalRequest.objects.order_by("-number").first()


def test_the_seats_say_whose_decisions_are_signed(people):
    key = SoftPasskey()
    key.add_to(people.dpo)
    sign_roster(people, {people.dpo: (credential_of(people.dpo),)})
    text = text_of(as_user(people.ciso).get(reverse("people")))
    assert "1 passkey on the roster" in text


def credential_of(user: Any) -> Any:
    from accounts.roster import Credential
    from accounts.services import stepup

    [(name, row)] = stepup.passkeys(user).items()
    return Credential(name, stepup.public_key_text(row))


def test_a_passkey_that_no_roster_names_is_told_apart(people, roster):  # noqa: F811
    SoftPasskey().add_to(people.dpo)
    assert "1 passkey not on the roster" in text_of(as_user(people.ciso).get(reverse("people")))


def test_two_seats_are_none_to_spare(db):
    factories.make_security()
    assert [seats.headroom().words, "One absence stops you" in seats.limits()[0]] == [
        "2 active seats, none to spare",
        True,
    ]


def test_the_only_one_of_an_office_is_named(people):
    new_policy(pools=[{"title": "dpo", "count": 1}])
    assert "One absence stops you: the rules need 1 DPO, and there is 1." in seats.limits()


ASKS = {
    "ask_add_member": ("nobody", {"title": Title.OTHER}, "Seat Norbert in Security"),
    "ask_grant": ("operator", {"role": "backup"}, "Make Olga a Backup administrator"),
    "ask_revoke": ("administrator", {"role": "backup"}, "Take the office of Backup administrator from Adam"),
    "ask_reset": ("operator", {}, "Reset the credentials of Olga"),
}


@pytest.mark.parametrize("name", ASKS)
def test_a_change_of_people_is_asked_by_form(people, name):
    who, fields, title = ASKS[name]
    for user in (people.nobody, people.operator):
        factories.add_totp(user)
    made = asked(as_user(people.dpo), name, user=getattr(people, who).pk, **fields)
    assert reading.read(made).title == title


def test_the_end_of_a_seat_is_asked_by_form(people):
    made = asked(as_user(people.dpo), "ask_remove_member", member=seat_of(people.third).pk)
    assert (made.kind, reading.read(made).title) == (
        Kind.REMOVE_MEMBER,
        "End the seat of Tess in Security",
    )


def test_a_replacement_names_who_goes_and_who_comes(people):
    factories.add_totp(people.nobody)
    made = asked(
        as_user(people.dpo),
        "ask_replace_member",
        member=seat_of(people.third).pk,
        user=people.nobody.pk,
        title="other",
    )
    found = reading.read(made)
    assert (found.title, found.changes[0].after) == (
        "Replace Tess by Norbert in Security",
        "Norbert · Security",
    )


def test_what_a_request_about_people_says_is_on_its_page(people):
    made = asked(as_user(people.dpo), "ask_reset", user=people.operator.pk)
    text = text_of(as_user(people.ciso).get(reverse("request", args=[made.pk])))
    assert "a link by mail, to their own address alone" in text


def test_who_works_in_the_team_is_not_offered_a_seat(people):
    text = text_of(as_user(people.dpo).get(reverse("ask_add_member")))
    assert "Norbert" in text
    assert "Olga" not in text


@pytest.mark.parametrize("role", ["operator", "auditor", "nobody"])
def test_only_security_and_administrators_ask_about_people(people, role):
    assert as_user(getattr(people, role)).get(reverse("ask_reset")).status_code == 403


def test_it_is_shown_what_it_would_do_before_it_is_asked(people):
    wish = {"reason": REASON, "user": people.operator.pk, "look": "1"}
    response = as_user(people.dpo).post(reverse("ask_reset"), wish)
    assert "leave the roster" in text_of(response)
    assert ApprovalRequest.objects.count() == 0


def terms_on(page: str) -> dict[str, Any]:
    """What the form of the rules holds as it is shown."""
    fields = dict(re.findall(r'<input type="number" name="(\w+)" value="(\d+)"', page))
    checked = re.findall(r'<input type="checkbox" name="(\w+)"[^>]*checked', page)
    return fields | dict.fromkeys(checked, "on")


def test_other_rules_are_asked_by_form(people):
    client = as_user(people.dpo)
    text = text_of(client.get(reverse("ask_policy")))
    policy = Policy.objects.get()
    terms = terms_on(text) | {
        "procedure_text": policy.procedure_text,
        "procedure_questions": "\n".join(policy.procedure_questions),
    }
    made = asked(client, "ask_policy", **(terms | {"quorum": 2, "pool_dpo": 1}))
    changed = {change.label: (change.before, change.after) for change in reading.read(made).changes}
    assert changed["Approvals needed"] == ("1", "2")
    assert changed["Offices that must approve"] == ("none", "1 DPO")
    assert set(changed) == {"Holds", "Approvals needed", "Offices that must approve"}


def test_the_rules_are_said_in_words(people):
    new_policy(quorum=2, pools=[{"title": "dpo", "count": 1}], administrators_may_approve=False)
    text = text_of(as_user(people.auditor).get(reverse("policies")))
    assert "2 persons must approve" in text
    assert "Those who approve must include 1 DPO." in text
    assert "Only Security approves." in text


def act(client: Any, member: SecurityMember, user: Any, **fields: Any) -> Any:
    """Do one act on a seat: the first page, then the code."""
    url = reverse("seat_act", args=[member.pk])
    page = text_of(client.post(url, fields))
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.split("<form")[-1]))
    return client.post(url, hidden | {"totp": fresh_code(user)})


def test_a_member_is_suspended_in_two_steps(people):
    member = seat_of(people.third)
    act(as_user(people.dpo), member, people.dpo, act="suspend", reason="Stolen laptop.")
    assert Suspension.open().get().reason == "Stolen laptop."


def test_a_third_member_confirms_and_two_lift(people):
    member = seat_of(people.third)
    act(as_user(people.dpo), member, people.dpo, act="suspend", reason="Stolen laptop.")
    act(as_user(people.ciso), member, people.ciso, act="confirm")
    text = text_of(as_user(people.ciso).get(reverse("seat", args=[member.pk])))
    assert "Carl confirms it" in text
    act(as_user(people.dpo), member, people.dpo, act="lift")
    act(as_user(people.ciso), member, people.ciso, act="lift")
    assert not Suspension.open().exists()


def test_a_wrong_code_suspends_nobody(people):
    member, client = seat_of(people.third), as_user(people.dpo)
    url = reverse("seat_act", args=[member.pk])
    page = text_of(client.post(url, {"act": "suspend", "reason": "Stolen laptop."}))
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.split("<form")[-1]))
    assert client.post(url, hidden | {"totp": "000000"}).status_code == 401
    assert not Suspension.objects.exists()


def test_nobody_suspends_their_own_seat(people):
    page = text_of(as_user(people.dpo).get(reverse("seat", args=[seat_of(people.dpo).pk])))
    assert "Suspend at once" not in page


def test_an_administrator_raises_the_alarm_and_suspends_nobody(people):
    """P3: an administrator can only raise the alarm."""
    client, member = as_user(people.administrator), seat_of(people.third)
    page = text_of(client.get(reverse("seat", args=[member.pk])))
    client.post(reverse("seat_doubt", args=[member.pk]), {"reason": "Seen at the wrong desk."})
    assert "Suspend at once" not in page
    assert "is doubted" in text_of(as_user(people.dpo).get(reverse("alarms")))


def test_a_seat_is_for_who_may_see_security(people):
    assert as_user(people.operator).get(reverse("seat", args=[seat_of(people.dpo).pk])).status_code == 403


def test_a_further_passkey_is_offered_for_the_roster(people):
    first, second = SoftPasskey(), SoftPasskey()
    first.add_to(people.dpo)
    sign_roster(people, {people.dpo: (credential_of(people.dpo),)})
    second.add_to(people.dpo)
    text = text_of(as_user(people.dpo).get(reverse("account")))
    assert [text.count("Put it on the roster"), text.count("your decisions are signed")] == [1, 1]
    assert [key.can_enter for key in passkey_service.own(people.dpo)].count(True) == 1


def test_a_repository_gets_rules_of_its_own(people, job):
    client, place = as_user(people.dpo), job.repository
    text = text_of(client.get(reverse("policies")))
    assert f"{reverse('ask_policy')}?scope={place.pk}" in text
    form = text_of(client.get(f"{reverse('ask_policy')}?scope={place.pk}"))
    policy = Policy.objects.get()
    terms = terms_on(form) | {"scope": place.pk, "decide_days": 3, "procedure_text": policy.procedure_text}
    made = asked(client, "ask_policy", **terms, procedure_questions="\n".join(policy.procedure_questions))
    assert reading.read(made).title == "Change the rules of Hall"


@pytest.mark.parametrize("scope", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_rules_of_no_place_are_no_error_of_ours(people, scope):
    assert as_user(people.dpo).get(f"{reverse('ask_policy')}?scope={scope}").status_code == 404


@pytest.mark.parametrize("scope", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_rules_of_no_place_are_said_in_the_form(people, scope):
    client = as_user(people.dpo)
    form = text_of(client.get(reverse("ask_policy")))
    sent = terms_on(form) | {"scope": scope, "procedure_text": "Read.", "reason": "A new year."}
    answer = client.post(reverse("ask_policy"), sent)
    assert answer.status_code == 400
    assert "There is no such repository" in text_of(answer)
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize("given", [True, False])
def test_policy_says_whether_a_description_names_the_request(people, given):
    client = as_user(people.dpo)
    policy = Policy.objects.get()
    terms = terms_on(text_of(client.get(reverse("ask_policy")))) | {"procedure_text": policy.procedure_text}
    terms |= {"decide_days": 3, "procedure_questions": "\n".join(policy.procedure_questions)}
    made = asked(client, "ask_policy", **terms, **({"number_in_description": "on"} if given else {}))
    assert said_in(made).change["policy"]["number_in_description"] is given
