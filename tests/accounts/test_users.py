"""P14: nothing that one administrator does lets them act as another person."""

import pytest

from accounts import selectors
from accounts.errors import Invalid, NotEligible, StepUpRequired
from accounts.models import EnrolmentLink, Role, User
from accounts.services import security_role, users
from audit.models import Entry
from tests.accounts.factories import PASSWORD, make_person, make_security, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna", role=Role.ADMINISTRATOR)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_an_administrator_makes_accounts_with_a_link(anna: User, role: Role) -> None:
    user, link = users.create_user(person=make_person().pk, username="otto", role=role, by=anna)
    assert user.has_role(role)
    assert link is not None
    assert not user.has_usable_password()


def test_a_service_account_gets_no_link(anna: User) -> None:
    owner = make_user(role=Role.OPERATOR)
    user, link = users.create_user(person=owner.person_id, username="robot", role=Role.SERVICE, by=anna)
    assert (user.is_human, link) == (False, None)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.ENTERPRISE])
def test_an_administrator_makes_no_administrator(anna: User, role: Role) -> None:
    """P4: a request does."""
    with pytest.raises(NotEligible):
        users.create_user(person=make_person().pk, username="x", role=role, by=anna)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, None])
def test_others_make_no_accounts(role: Role | None) -> None:
    with pytest.raises(NotEligible):
        users.create_user(person=make_person().pk, username="x", role=Role.OPERATOR, by=make_user(role=role))


def test_a_superuser_makes_no_accounts() -> None:
    """P14: superuser is no role."""
    with pytest.raises(NotEligible):
        users.create_user(
            person=make_person().pk, username="x", role=Role.OPERATOR, by=make_user(is_superuser=True)
        )


def test_a_second_account_of_a_person_is_refused(anna: User) -> None:
    """P14: its link would let the administrator act as them."""
    with pytest.raises(NotEligible):
        users.create_user(
            person=make_user(role=Role.OPERATOR).person_id, username="x", role=Role.AUDITOR, by=anna
        )


def test_a_service_account_of_another_administrator_is_refused(anna: User) -> None:
    """P14, P1: what it asks would count as asked by them."""
    other = make_user(role=Role.ADMINISTRATOR)
    with pytest.raises(NotEligible):
        users.create_user(person=other.person_id, username="x", role=Role.SERVICE, by=anna)


def test_a_service_account_of_a_security_member_is_refused(anna: User) -> None:
    dora, _ = make_security()
    with pytest.raises(NotEligible):
        users.create_user(person=dora.person_id, username="x", role=Role.SERVICE, by=anna)


def test_a_refusal_is_in_the_log(anna: User) -> None:
    """P12: every refused attempt is one entry."""
    with pytest.raises(NotEligible):
        users.create_user(person=make_person().pk, username="x", role=Role.ADMINISTRATOR, by=anna)
    assert Entry.objects.filter(event="attempt.refused").count() == 1


@pytest.mark.parametrize("username", ["", "two words", "x" * 151, "anna"])
def test_a_name_that_cannot_be_is_refused(anna: User, username: str) -> None:
    with pytest.raises(Invalid):
        users.create_user(person=make_person().pk, username=username, role=Role.OPERATOR, by=anna)


def test_the_link_sets_the_password(anna: User) -> None:
    _, link = users.create_user(person=make_person().pk, username="otto", role=Role.OPERATOR, by=anna)
    assert link is not None
    otto = security_role.enrol(link.rstrip("/").rpartition("/")[2], password=PASSWORD)
    assert otto.check_password(PASSWORD)


def test_a_new_link_for_an_account_without_password_is_made(anna: User) -> None:
    user, old = users.create_user(person=make_person().pk, username="otto", role=Role.OPERATOR, by=anna)
    assert users.new_link(user.pk, by=anna) != old


def test_a_new_link_for_an_account_with_a_password_is_refused(anna: User) -> None:
    """P14: that would be a reset."""
    with pytest.raises(NotEligible):
        users.new_link(make_user(role=Role.OPERATOR).pk, by=anna)


def test_a_new_link_for_a_founder_is_refused(anna: User) -> None:
    """P14: founders' links come from bootstrap alone."""
    founder = make_user()
    founder.set_unusable_password()
    founder.save()
    EnrolmentLink.objects.create(
        token_hash=b"x", seat="founder", user=founder, expires_at=founder.date_joined, title="dpo"
    )
    with pytest.raises(NotEligible):
        users.new_link(founder.pk, by=anna)


def test_an_operator_is_switched_off_and_on(anna: User) -> None:
    otto = make_user(role=Role.OPERATOR)
    states = [users.set_active(otto.pk, active=active, by=anna).is_active for active in (False, True)]
    assert states == [False, True]


def test_a_security_member_is_not_switched_off(anna: User) -> None:
    """P14: only a request removes."""
    *_, third = make_security(("a", "b", "c"))
    with pytest.raises(NotEligible):
        users.set_active(third.pk, active=False, by=anna)


def test_a_switched_off_administrator_is_not_switched_on(anna: User) -> None:
    """P14: reactivation is a request."""
    other = make_user(role=Role.ADMINISTRATOR, is_active=False)
    with pytest.raises(NotEligible):
        users.set_active(other.pk, active=True, by=anna)


def test_another_account_of_a_member_is_not_switched_on(anna: User) -> None:
    """P14: accounts of one person are one."""
    dora, _ = make_security()
    second = make_user(person=dora.person, is_active=False)
    with pytest.raises(NotEligible):
        users.set_active(second.pk, active=True, by=anna)


def test_ones_own_password_changes_with_the_old_one(anna: User) -> None:
    users.set_own_password(by=anna, current=PASSWORD, new="a quite different phrase 9")
    assert User.objects.get(pk=anna.pk).check_password("a quite different phrase 9")


def test_ones_own_password_does_not_change_without_it(anna: User) -> None:
    with pytest.raises(StepUpRequired):
        users.set_own_password(by=anna, current="wrong", new="a quite different phrase 9")
    assert User.objects.get(pk=anna.pk).check_password(PASSWORD)


def test_a_weak_new_password_is_refused(anna: User) -> None:
    with pytest.raises(Invalid):
        users.set_own_password(by=anna, current=PASSWORD, new="anna")


def test_a_token_is_kept_as_a_hash(anna: User) -> None:
    token = users.create_token(user=anna, name="x", days=1, scopes=["api"], by=anna)
    assert token not in str(anna.auth_token_set.values().get())


@pytest.mark.parametrize(
    "fields",
    [{"days": 0}, {"days": 1000}, {"scopes": []}, {"scopes": ["all"]}, {"name": " "}, {"name": "x" * 81}],
)
def test_a_token_without_bounds_is_refused(anna: User, fields: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        users.create_token(**({"user": anna, "name": "x", "days": 1, "scopes": ["api"], "by": anna} | fields))


def test_a_superuser_gets_no_token() -> None:
    root = make_user(is_superuser=True)
    with pytest.raises(NotEligible):
        users.create_token(user=root, name="x", days=1, scopes=["api"], by=root)


class TestSelectors:
    def test_labels_name_the_office(self, anna: User) -> None:
        dora, carl = make_security()
        assert [selectors.user_label(user) for user in (dora, carl, anna, make_user("rita"))] == [
            "Dora · Security · DPO",
            "Carl · Security · CISO",
            "Anna · Backup administrator",
            "Rita",
        ]

    def test_who_could_decide_leaves_out_askers(self, anna: User) -> None:
        """P1: every account of the asking person."""
        dora, carl = make_security()
        found = selectors.can_decide_people(
            excluded={dora.person_id}, administrators_may=True, before=selectors.timezone.now()
        )
        assert found == [carl, anna]

    def test_who_joined_later_does_not_decide(self, anna: User) -> None:
        """P6: nobody votes on a request older than their seat."""
        before = selectors.timezone.now()
        make_security()
        found = selectors.can_decide_people(excluded=(), administrators_may=False, before=before)
        assert found == []

    def test_a_suspended_member_is_not_active(self) -> None:
        dora, _ = make_security()
        dora.security_seats.update(suspended_at=selectors.timezone.now())
        assert [seat.user for seat in selectors.security_members()] != [dora]
        assert selectors.security_members(active=False).count() == 2
        assert not dora.is_security

    def test_an_ended_grant_is_no_role(self, anna: User) -> None:
        anna.role_grants.update(until=selectors.timezone.now())
        assert not anna.has_role(Role.ADMINISTRATOR)
        assert not selectors.administrators().exists()

    def test_a_superuser_has_neither_role_nor_seat(self) -> None:
        root = make_user(is_superuser=True)
        assert not root.is_security
        assert not any(root.has_role(role) for role in Role)
