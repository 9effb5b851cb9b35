"""P8: a decision needs a fresh factor, used once, bound to this decision."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.db import connection

from accounts.errors import InteractiveRequired, StepUpRequired
from accounts.models import Role, User
from accounts.services import stepup
from accounts.services.stepup import Binding, StepUp
from tests.accounts.conftest import totp_code
from tests.accounts.factories import PASSWORD, add_totp, make_user
from tests.accounts.soft_passkey import SoftPasskey

pytestmark = pytest.mark.django_db
Binder = Callable[..., Binding]


@pytest.fixture
def dora() -> User:
    return make_user("dora")


@pytest.fixture
def passkey(dora: User) -> SoftPasskey:
    key = SoftPasskey()
    key.add_to(dora)
    return key


def by_passkey(passkey: SoftPasskey, begun: dict[str, Any], **how: Any) -> StepUp:
    """The step-up that a browser would send."""
    return StepUp(nonce=begun["nonce"], passkey=passkey.sign(begun["public_key"]["challenge"], **how))


class TestPasskey:
    def test_a_fresh_assertion_passes(self, dora: User, passkey: SoftPasskey, binding: Binder) -> None:
        begun = stepup.begin(dora, binding(dora))
        proof = stepup.consume(by_passkey(passkey, begun), by=dora, binding=binding(dora), mfa_required=True)
        assert proof.keys() == {"factor", "nonce", "credential", "response"}

    def test_the_options_name_ones_own_keys(self, dora: User, passkey: SoftPasskey, binding: Binder) -> None:
        SoftPasskey().add_to(make_user())
        options = stepup.begin(dora, binding(dora))["public_key"]
        assert [one["id"] for one in options["allowCredentials"]] == [passkey.sign("AAAA")["id"]]

    def test_user_verification_is_demanded(self, dora: User, passkey: SoftPasskey, binding: Binder) -> None:
        assert stepup.begin(dora, binding(dora))["public_key"]["userVerification"] == "required"

    def test_a_replay_is_refused(self, dora: User, passkey: SoftPasskey, binding: Binder) -> None:
        begun = stepup.begin(dora, binding(dora))
        given = by_passkey(passkey, begun)
        stepup.consume(given, by=dora, binding=binding(dora), mfa_required=True)
        with pytest.raises(StepUpRequired):
            stepup.consume(given, by=dora, binding=binding(dora), mfa_required=True)

    def test_another_decision_is_refused(self, dora: User, passkey: SoftPasskey, binding: Binder) -> None:
        begun = stepup.begin(dora, binding(dora))
        with pytest.raises(StepUpRequired):
            stepup.consume(
                by_passkey(passkey, begun),
                by=dora,
                binding=binding(dora, verdict="reject"),
                mfa_required=True,
            )

    def test_another_persons_key_is_refused(self, dora: User, passkey: SoftPasskey, binding: Binder) -> None:
        other = SoftPasskey()
        other.add_to(make_user())
        begun = stepup.begin(dora, binding(dora))
        with pytest.raises(StepUpRequired, match="not one of yours"):
            stepup.consume(by_passkey(other, begun), by=dora, binding=binding(dora), mfa_required=True)

    def test_a_counter_that_went_back_is_refused(
        self, dora: User, passkey: SoftPasskey, binding: Binder
    ) -> None:
        begun = stepup.begin(dora, binding(dora))
        stepup.consume(by_passkey(passkey, begun, count=9), by=dora, binding=binding(dora), mfa_required=True)
        begun = stepup.begin(dora, binding(dora))
        with pytest.raises(StepUpRequired, match="counter"):
            stepup.consume(
                by_passkey(passkey, begun, count=9), by=dora, binding=binding(dora), mfa_required=True
            )


class TestTotp:
    def test_a_code_passes(self, dora: User, binding: Binder) -> None:
        add_totp(dora)
        nonce = stepup.begin(dora, binding(dora))["nonce"]
        proof = stepup.consume(
            StepUp(nonce, totp=totp_code()), by=dora, binding=binding(dora), mfa_required=True
        )
        assert proof == {"factor": "totp", "nonce": nonce}

    def test_the_same_code_again_is_refused(self, dora: User, binding: Binder) -> None:
        add_totp(dora)
        code = totp_code()
        self.give(dora, binding, code)
        with pytest.raises(StepUpRequired, match="wait for the next code"):
            self.give(dora, binding, code)

    def test_the_next_code_passes(self, dora: User, binding: Binder) -> None:
        add_totp(dora)
        self.give(dora, binding, totp_code())
        assert self.give(dora, binding, totp_code(steps=1))

    def test_an_older_code_after_a_newer_is_refused(self, dora: User, binding: Binder) -> None:
        add_totp(dora)
        self.give(dora, binding, totp_code(steps=1))
        with pytest.raises(StepUpRequired):
            self.give(dora, binding, totp_code())

    def test_a_wrong_code_uses_the_nonce_up(self, dora: User, binding: Binder) -> None:
        add_totp(dora)
        nonce = stepup.begin(dora, binding(dora))["nonce"]
        for code in ("000000", totp_code()):
            with pytest.raises(StepUpRequired):
                stepup.consume(StepUp(nonce, totp=code), by=dora, binding=binding(dora), mfa_required=True)

    def test_an_account_without_an_app_is_refused(self, dora: User, binding: Binder) -> None:
        with pytest.raises(StepUpRequired, match="no authenticator app"):
            self.give(dora, binding, "123456")

    def give(self, user: User, binding: Binder, code: str) -> dict[str, Any]:
        nonce = stepup.begin(user, binding(user))["nonce"]
        return stepup.consume(StepUp(nonce, totp=code), by=user, binding=binding(user), mfa_required=True)


class TestPassword:
    def test_it_passes_while_policy_does_not_demand_mfa(self, dora: User, binding: Binder) -> None:
        nonce = stepup.begin(dora, binding(dora))["nonce"]
        proof = stepup.consume(
            StepUp(nonce, password=PASSWORD), by=dora, binding=binding(dora), mfa_required=False
        )
        assert proof["factor"] == "password"

    def test_it_is_refused_where_policy_demands_mfa(self, dora: User, binding: Binder) -> None:
        nonce = stepup.begin(dora, binding(dora))["nonce"]
        with pytest.raises(StepUpRequired, match="does not do"):
            stepup.consume(
                StepUp(nonce, password=PASSWORD), by=dora, binding=binding(dora), mfa_required=True
            )

    @pytest.mark.parametrize("password", ["wrong", "", "x" * 5000])
    def test_a_wrong_one_is_refused(self, dora: User, binding: Binder, password: str) -> None:
        nonce = stepup.begin(dora, binding(dora))["nonce"]
        with pytest.raises(StepUpRequired):
            stepup.consume(
                StepUp(nonce, password=password), by=dora, binding=binding(dora), mfa_required=False
            )

    def test_it_is_offered_only_where_it_does(self, dora: User, binding: Binder) -> None:
        offers = [
            stepup.begin(dora, binding(dora), mfa_required=wanted)["factors"] for wanted in (True, False)
        ]
        assert offers == [[], ["password"]]


def test_an_old_nonce_is_refused(dora: User, binding: Binder) -> None:
    add_totp(dora)
    nonce = stepup.begin(dora, binding(dora))["nonce"]
    stepup.cache.touch(stepup._nonce_key(nonce), 0)
    with pytest.raises(StepUpRequired, match="over"):
        stepup.consume(StepUp(nonce, totp=totp_code()), by=dora, binding=binding(dora), mfa_required=True)


def test_a_nonce_lives_five_minutes() -> None:
    assert stepup.NONCE_SECONDS == 300


def test_an_invented_nonce_is_refused(dora: User, binding: Binder) -> None:
    add_totp(dora)
    with pytest.raises(StepUpRequired):
        stepup.consume(
            StepUp("invented", totp=totp_code()), by=dora, binding=binding(dora), mfa_required=True
        )


def test_the_nonce_of_another_account_of_the_person_is_refused(dora: User, binding: Binder) -> None:
    second = make_user(person=dora.person)
    add_totp(second)
    nonce = stepup.begin(dora, binding(dora))["nonce"]
    with pytest.raises(StepUpRequired):
        stepup.consume(StepUp(nonce, totp=totp_code()), by=second, binding=binding(second), mfa_required=True)


@pytest.mark.parametrize("factors", [{}, {"totp": "123456", "password": PASSWORD}])
def test_anything_but_one_factor_is_refused(dora: User, binding: Binder, factors: dict[str, str]) -> None:
    add_totp(dora)
    nonce = stepup.begin(dora, binding(dora))["nonce"]
    with pytest.raises(StepUpRequired, match="exactly one"):
        stepup.consume(StepUp(nonce, **factors), by=dora, binding=binding(dora), mfa_required=False)


def test_a_service_account_is_refused(binding: Binder) -> None:
    """P8: service accounts ask, they never decide."""
    service = make_user(role=Role.SERVICE)
    with pytest.raises(InteractiveRequired):
        stepup.begin(service, binding(service))


def test_an_inactive_account_is_refused(dora: User, binding: Binder) -> None:
    add_totp(dora)
    nonce = stepup.begin(dora, binding(dora))["nonce"]
    dora.is_active = False
    with pytest.raises(InteractiveRequired):
        stepup.consume(StepUp(nonce, totp=totp_code()), by=dora, binding=binding(dora), mfa_required=True)


def test_ten_failures_stop_the_eleventh_right_one(dora: User, binding: Binder) -> None:
    add_totp(dora)
    for _ in range(stepup.FAILURES):
        nonce = stepup.begin(dora, binding(dora))["nonce"]
        with pytest.raises(StepUpRequired):
            stepup.consume(StepUp(nonce, totp="000000"), by=dora, binding=binding(dora), mfa_required=True)
    nonce = stepup.begin(dora, binding(dora))["nonce"]
    with pytest.raises(StepUpRequired, match="Too many"):
        stepup.consume(StepUp(nonce, totp=totp_code()), by=dora, binding=binding(dora), mfa_required=True)


def test_a_step_up_does_not_show_itself() -> None:
    """P9: not even in a traceback."""
    assert "hunter2" not in repr(StepUp("n", password="hunter2"))


@pytest.mark.django_db(transaction=True)
def test_one_code_given_twice_at_once_passes_once(binding: Binder) -> None:
    """P8: the conditional UPDATE lets one of two through."""
    dora = make_user("dora")
    add_totp(dora)
    with time_machine.travel("2026-11-02T12:00:05Z", tick=False):
        code = totp_code()
        nonces = [stepup.begin(dora, binding(dora))["nonce"] for _ in range(2)]

        def give(nonce: str) -> bool:
            try:
                stepup.consume(StepUp(nonce, totp=code), by=dora, binding=binding(dora), mfa_required=True)
            except StepUpRequired:
                return False
            else:
                return True
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(give, nonces)) == [False, True]
