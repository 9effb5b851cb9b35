"""The values that a password had at Veeam, one for each time that it was changed; most are unproven.

Nobody here knows the value of an unproven version. It still says which restore points need one value and
which another.
"""

from datetime import datetime
from uuid import uuid4

from encryption.models import EncryptionPassword, PasswordVersion
from encryption.services import vault


def first_within(
    password: EncryptionPassword, modified: datetime | None, *, oldest: datetime | None = None
) -> PasswordVersion:
    """Make the version in force of a password that is new here.

    `oldest`: when the oldest restore point was made that it may open. One before the password was changed
    last needs the value of before, which gets an unproven version of its own.
    """
    number = 1
    if oldest is not None and modified is not None and oldest < modified:
        _create(password, number, None, until=modified)
        number += 1
    return _create(password, number, modified)


def following_within(
    password: EncryptionPassword, modified: datetime | None, *, value: PasswordVersion | None = None
) -> PasswordVersion:
    """Make the version in force of a password that was changed; `value` is one whose value it has again."""
    newest = PasswordVersion.objects.filter(password=password).order_by("-number").first()
    version = _create(password, newest.number + 1 if newest else 1, modified)
    if value is not None:
        held = vault.password_of(value)
        version.sealed_password = vault.seal_value(version.pk, version.number, held).password
        version.known_to = value.known_to
        version.strength, version.length = value.strength, value.length
        version.save(update_fields=["sealed_password", "known_to", "strength", "length"])
    begin_within(version, modified)
    return version


def begin_within(version: PasswordVersion, modified: datetime | None) -> None:
    """Note that a version is in force since its password was changed, and its forerunners until then."""
    version.in_force_from, version.in_force_until = modified, None
    version.save(update_fields=["in_force_from", "in_force_until"])
    former = PasswordVersion.objects.filter(password=version.password_id, in_force_until=None)
    # A version that a request prepared, and that is not in force yet, is nobody's forerunner.
    former = former.exclude(pk=version.pk).exclude(in_force_from=None, request__isnull=False)
    former.update(in_force_until=modified)


def in_force(password: EncryptionPassword) -> PasswordVersion | None:
    """Return the version that is in force by what was read."""
    rows = PasswordVersion.objects.filter(password=password, in_force_until=None)
    return rows.exclude(in_force_from=None, request__isnull=False).order_by("-number").first()


def newest_held(password: EncryptionPassword) -> PasswordVersion | None:
    """Return the newest version whose value somebody proved to know, or a request set."""
    rows = PasswordVersion.objects.filter(password=password, sealed_password__isnull=False, erased_at=None)
    return rows.order_by("-number").first()


def _create(
    password: EncryptionPassword, number: int, since: datetime | None, *, until: datetime | None = None
) -> PasswordVersion:
    return PasswordVersion.objects.create(
        id=uuid4(),
        password=password,
        number=number,
        hint=password.hint,
        kdf={},
        strength=0,
        length=0,
        in_force_from=since,
        in_force_until=until,
    )
