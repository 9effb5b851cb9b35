"""The file of demo and tests makes everything, once."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import selectors
from accounts.errors import AlreadySealed, Invalid
from accounts.models import ApiToken, Role, User
from accounts.services import bootstrap_file, security_role
from tests.accounts.factories import PASSWORD, TOTP_SECRET

pytestmark = pytest.mark.django_db

FILE: dict[str, Any] = {
    "people": [
        {"name": name, "email": f"{name}@example.com"}
        for name in ("Dora", "Carl", "Sam", "Anna", "Otto", "Rita")
    ],
    "users": [
        {"username": "dpo", "person": "Dora", "role": "security", "title": "DPO", "totp_secret": TOTP_SECRET},
        {
            "username": "ciso",
            "person": "Carl",
            "role": "security",
            "title": "ciso",
            "totp_secret": TOTP_SECRET,
        },
        {"username": "third", "person": "Sam", "role": "security"},
        {"username": "admin", "person": "Anna", "role": "administrator", "totp_secret": TOTP_SECRET},
        {"username": "op", "person": "Otto", "role": "operator"},
        {"username": "robot", "person": "Otto", "role": "service"},
        {"username": "audit", "person": "Rita", "role": "auditor"},
        {"username": "root", "person": "Rita", "role": "superuser"},
    ],
}
for user in FILE["users"]:
    user["password"] = PASSWORD


def changed(index: int, **fields: Any) -> dict[str, Any]:
    """The file with one account changed."""
    content = copy.deepcopy(FILE)
    content["users"][index] |= fields
    return content


def test_every_account_is_made() -> None:
    assert bootstrap_file.load(FILE) == User.objects.count() == 8


def test_the_worker_seals_at_once(vsec_home: Any) -> None:
    bootstrap_file.load(FILE)
    security_role.sign_roster()
    assert [seat.title for seat in selectors.security_members()].count("other") == 1
    assert selectors.security_members().count() == 3


def test_the_superuser_has_no_role() -> None:
    """P1: superuser is no role."""
    bootstrap_file.load(FILE)
    root = User.objects.get(username="root")
    assert root.is_superuser
    assert not root.facts().roles


def test_the_service_account_has_no_password() -> None:
    bootstrap_file.load(FILE)
    robot = User.objects.get(username="robot")
    assert (robot.is_human, robot.has_usable_password()) == (False, False)


def test_a_secret_is_not_stored_in_clear() -> None:
    """P9: factors rest encrypted."""
    bootstrap_file.load(FILE)
    factor = User.objects.get(username="dpo").authenticator_set.get(type="totp")
    assert TOTP_SECRET not in json.dumps(factor.data)


def test_loading_twice_is_refused() -> None:
    bootstrap_file.load(FILE)
    with pytest.raises(AlreadySealed):
        bootstrap_file.load(FILE)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"people": [], "users": []},
        {"people": 1, "users": 2},
        changed(0, person="Nobody"),
        changed(0, role="boss"),
        changed(1, person="Dora"),
        changed(0, password=""),
        changed(0, totp_secret="not base32!"),
        changed(4, person="Dora"),
        changed(5, person="Dora"),
        changed(4, username="dpo"),
        {**FILE, "people": [*FILE["people"], {"name": "Dora"}]},
    ],
)
def test_a_file_that_is_none_makes_nothing(content: dict[str, Any]) -> None:
    """P1, P4: one person in two seats, or in both camps, too."""
    with pytest.raises(Invalid):
        bootstrap_file.load(content)
    assert not User.objects.exists()


def test_the_command_loads_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "people.json"
    path.write_text(json.dumps(FILE))
    call_command("bootstrap", file=path)
    assert "8 accounts" in capsys.readouterr().out


def test_production_refuses_a_file(tmp_path: Path, settings: Any) -> None:
    settings.VEEAMSEC_PRODUCTION = True
    with pytest.raises(CommandError):
        call_command("bootstrap", file=tmp_path / "people.json")


def test_the_command_prints_three_links(capsys: pytest.CaptureFixture[str]) -> None:
    call_command(
        "bootstrap", "--dpo", "D", "d@x.org", "--ciso", "C", "c@x.org", "--administrator", "A", "a@x.org"
    )
    assert capsys.readouterr().out.count("http://localhost:8000/start/") == 3


def test_the_command_asks_for_names(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["D", "d@x.org", "C", "c@x.org", "A", "a@x.org"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    call_command("bootstrap")
    assert User.objects.count() == 3


def test_create_token_prints_a_token_once(capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap_file.load(FILE)
    call_command("create_token", "robot", name="nightly")
    token = capsys.readouterr().out.strip()
    assert token
    assert token not in json.dumps(list(ApiToken.objects.values("digest", "token_key", "name")))


def test_create_token_for_nobody_is_refused() -> None:
    with pytest.raises(CommandError):
        call_command("create_token", "nobody", name="x")


def test_nobody_sets_anothers_password_by_a_command() -> None:
    """P14: not even at the shell."""
    bootstrap_file.load(FILE)
    with pytest.raises(CommandError, match="Nobody sets"):
        call_command("changepassword", "dpo")


def test_roles_are_granted() -> None:
    bootstrap_file.load(FILE)
    assert User.objects.get(username="admin").has_role(Role.ADMINISTRATOR)
