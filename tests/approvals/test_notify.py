"""P8, P9: mails tell that something waits and how it ended: a link, nothing more."""

import uuid

import pytest

from approvals.services import notify
from tests.approvals.conftest import SECRET, approve, reject

pytestmark = pytest.mark.django_db


def recipients(mailoutbox) -> set[str]:
    return {address for mail in mailoutbox for address in mail.to}


def test_who_can_decide_is_told(people, pending, mailoutbox):
    notify.notify(pending.pk)
    assert recipients(mailoutbox) == {
        user.person.email for user in (people.dpo, people.ciso, people.third, people.administrator)
    }


def test_the_asker_is_not_asked(people, ask, mailoutbox):
    notify.notify(ask(by=people.dpo).pk)
    assert people.dpo.person.email not in recipients(mailoutbox)


def test_nobody_sees_whom_else_was_told(people, pending, mailoutbox):
    notify.notify(pending.pk)
    assert all(len(mail.to) == 1 and not mail.cc for mail in mailoutbox)


def test_p8_a_mail_is_a_link_and_nothing_more(people, pending, mailoutbox):
    """P8"""
    notify.notify(pending.pk)
    assert mailoutbox[0].body == f"http://localhost:8000/requests/{pending.pk}/\n"
    assert mailoutbox[0].subject == f"[VeeamSec] {pending} waits for your decision"


def test_the_asker_is_told_the_outcome(people, pending, mailoutbox):
    reject(people.dpo, pending)
    notify.notify(pending.pk)
    [mail] = mailoutbox
    assert mail.to == [people.operator.person.email]
    assert mail.subject.endswith("was rejected")


def test_who_voted_is_not_asked_again(people, ask, mailoutbox):
    from tests.approvals.conftest import new_policy

    new_policy(quorum=2)
    request = ask()
    approve(people.dpo, request)
    notify.notify(request.pk)
    assert people.dpo.person.email not in recipients(mailoutbox)


def test_p9_no_mail_holds_the_password(people, pending, mailoutbox):
    """P9"""
    notify.notify(pending.pk)
    assert not any(SECRET in str(mail.message()) for mail in mailoutbox)


def test_no_request_no_mail(db, mailoutbox):
    assert notify.notify(uuid.uuid4()) == 0
