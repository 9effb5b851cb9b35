"""What each role may do: the table, read back."""

import uuid

import pytest

from accounts import rules
from accounts.rules import Standing


def standing(*roles: str, **fields: object) -> Standing:
    """An active human with roles."""
    values = {"user": uuid.UUID(int=1), "person": uuid.UUID(int=2), "is_human": True, "active": True}
    return Standing(**(values | {"roles": frozenset(roles)} | fields))


CASES = [
    ("encryption.run_job", {"operator", "service", "administrator"}),
    ("encryption.restore_job", {"operator", "service", "administrator"}),
    ("encryption.add_job", {"operator", "service", "administrator"}),
    ("encryption.ask_change_job", {"operator", "service", "administrator", "security"}),
    ("encryption.decide_repository", {"administrator"}),
    ("accounts.add_user", {"administrator"}),
    ("accounts.change_person", {"administrator"}),
    ("accounts.view_user", {"administrator", "enterprise", "auditor", "security"}),
    ("audit.view_entry", {"administrator", "enterprise", "auditor", "security"}),
    (
        "approvals.view_approvalrequest",
        {"operator", "service", "administrator", "enterprise", "auditor", "security"},
    ),
]


@pytest.mark.parametrize(("permission", "holders"), CASES)
def test_a_permission_is_held_by_exactly_these(permission: str, holders: set[str]) -> None:
    assert {role for role, held in rules.PERMISSIONS.items() if permission in held} == holders


def test_an_auditor_changes_nothing() -> None:
    assert all(".view_" in permission for permission in rules.PERMISSIONS["auditor"])


@pytest.mark.parametrize("role", rules.PERMISSIONS)
def test_nobody_writes_history(role: str) -> None:
    """P12, P13: no role adds, changes or deletes votes, requests, seats, grants or the log."""
    guarded = ("entry", "vote", "approvalrequest", "securitymember", "rolegrant", "roster", "attestation")
    written = {name for name in rules.PERMISSIONS[role] if ".view_" not in name}
    assert not {name for name in written if name.endswith(guarded)}


def test_security_has_no_right_of_the_backup_team() -> None:
    assert not rules.PERMISSIONS["security"] & {
        "encryption.run_job",
        "encryption.add_job",
        "accounts.add_user",
    }


def test_an_inactive_account_has_no_permission() -> None:
    assert not rules.permissions(standing("administrator", active=False))


def test_an_unknown_role_has_no_permission() -> None:
    """P6: an empty answer is a no."""
    assert not rules.permissions(standing("boss"))


def test_a_superuser_has_no_permission_by_that() -> None:
    assert not rules.permissions(standing(superuser=True))


def test_a_suspended_seat_gives_no_permission() -> None:
    assert not rules.permissions(standing(security_title="dpo", suspended=True))


@pytest.mark.parametrize(
    "fields", [{"suspended": True}, {"active": False}, {"is_human": False}, {"security_title": None}]
)
def test_a_seat_that_does_not_count_is_none(fields: dict[str, object]) -> None:
    assert not standing(**({"security_title": "dpo"} | fields)).is_security


@pytest.mark.parametrize(
    "who",
    [
        standing(security_title="dpo"),
        standing(security_title="dpo", suspended=True),
        standing("administrator"),
        standing("enterprise"),
        standing(superuser=True),
    ],
)
def test_who_can_decide_must_enrol(who: Standing) -> None:
    """P8: bootstrap's policy demands a second factor."""
    assert rules.must_enrol(who, has_factor=False, founding=False)


def test_a_founder_must_enrol_before_the_seal() -> None:
    assert rules.must_enrol(standing(), has_factor=False, founding=True)


@pytest.mark.parametrize(
    "who", [standing("operator"), standing("auditor"), standing("service", is_human=False)]
)
def test_who_never_decides_need_not(who: Standing) -> None:
    assert not rules.must_enrol(who, has_factor=False, founding=False)


def test_who_has_a_factor_is_done() -> None:
    assert not rules.must_enrol(standing("administrator"), has_factor=True, founding=True)


@pytest.mark.parametrize("role", sorted(rules.EXCLUDED_BY_SECURITY))
def test_a_seat_conflicts_with_the_backup_team(role: str) -> None:
    """P4: Security excludes every backup and enterprise role."""
    assert rules.conflict(has_seat=True, roles=[role]) == role


def test_no_seat_conflicts_with_nothing() -> None:
    assert rules.conflict(has_seat=False, roles=rules.EXCLUDED_BY_SECURITY) is None


def test_a_seat_does_not_conflict_with_reading() -> None:
    assert rules.conflict(has_seat=True, roles=["auditor"]) is None
