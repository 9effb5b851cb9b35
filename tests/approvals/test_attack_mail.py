"""One address that no server takes keeps no other person in the dark, and floods none."""

import smtplib

import pytest
from django.core.mail.backends import locmem

from approvals.services import notify

pytestmark = pytest.mark.django_db


@pytest.fixture
def refused(people, monkeypatch):
    """The address of the DPO, which the server refuses."""
    address, real = people.dpo.person.email, locmem.EmailBackend.send_messages

    def send(backend, messages):
        messages = list(messages)
        if any(address in message.to for message in messages):
            raise smtplib.SMTPRecipientsRefused({address: (550, b"no such user")})
        return real(backend, messages)

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", send)
    return address


def test_all_others_are_told(people, pending, mailoutbox, refused):
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        notify.notify(pending.pk)
    told = {mail.to[0] for mail in mailoutbox}
    assert told == {user.person.email for user in (people.ciso, people.third, people.administrator)}


def test_nobody_is_told_again_with_each_try(people, pending, mailoutbox, refused):
    for _ in range(3):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            notify.notify(pending.pk)
    assert len(mailoutbox) == 3


def test_an_address_that_is_taken_later_is_told_then(people, pending, mailoutbox, refused, monkeypatch):
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        notify.notify(pending.pk)
    monkeypatch.undo()
    assert notify.notify(pending.pk) == 1
    assert mailoutbox[-1].to == [refused]
