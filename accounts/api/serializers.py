"""What is sent and answered about people, as JSON."""

from typing import Any

from rest_framework import serializers

from accounts import rules, selectors
from accounts.exchange import Strict
from accounts.models import SecurityMember, User
from accounts.selectors import PersonLine
from accounts.services.suspensions import ACTS, MAX_REASON
from accounts.services.tokens import OwnToken
from accounts.services.users import PASSWORD_LIMIT, TOKEN_DAYS_LIMIT, TOKEN_SCOPES


class NonceSerializer(serializers.Serializer[Any]):
    """The nonce to send back, with what a passkey needs, and the factors that will do."""

    nonce = serializers.CharField()
    public_key = serializers.JSONField(allow_null=True)
    factors = serializers.ListField(child=serializers.CharField())


class StepUpSerializer(Strict):
    """Exactly one factor."""

    passkey = serializers.DictField(required=False)
    totp = serializers.CharField(max_length=16, required=False)
    password = serializers.CharField(
        max_length=PASSWORD_LIMIT, required=False, write_only=True, trim_whitespace=False
    )


class MeSerializer(serializers.Serializer[User]):
    """Who one is."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    person = serializers.UUIDField(source="person_id")
    name = serializers.CharField(source="person.name")
    office = serializers.SerializerMethodField()
    is_human = serializers.BooleanField()
    roles = serializers.SerializerMethodField()
    security = serializers.SerializerMethodField()
    must_enrol = serializers.SerializerMethodField()
    permissions = serializers.SerializerMethodField()

    def get_office(self, user: User) -> str:
        """Return the name with its office, as pages show it."""
        return selectors.user_label(user)

    def get_roles(self, user: User) -> list[str]:
        """Return the live roles."""
        return sorted(user.facts().roles)

    def get_security(self, user: User) -> str | None:
        """Return the title of the seat, if it is active."""
        facts = user.facts()
        return facts.security_title if facts.is_security else None

    def get_must_enrol(self, user: User) -> bool:
        """Say whether a second factor is missing."""
        return selectors.must_enrol(user, user.facts())

    def get_permissions(self, user: User) -> list[str]:
        """Return what roles and seat allow everywhere."""
        return sorted(rules.permissions(user.facts()))


class MemberSerializer(serializers.Serializer[SecurityMember]):
    """One seat."""

    id = serializers.UUIDField()
    user = serializers.UUIDField(source="user_id")
    person = serializers.UUIDField(source="person_id")
    name = serializers.CharField(source="person.name")
    title = serializers.CharField()
    since = serializers.DateTimeField()
    active = serializers.SerializerMethodField()
    suspended_at = serializers.DateTimeField(allow_null=True)
    # Null beside a `suspended_at`: a third member confirmed it.
    suspended_until = serializers.DateTimeField(allow_null=True)

    def get_active(self, seat: SecurityMember) -> bool:
        """Say whether the seat may decide."""
        return seat.user.is_active and not seat.is_suspended()


class MemberChallengeSerializer(Strict):
    """The act on a seat that a step-up is begun for."""

    act = serializers.ChoiceField(choices=ACTS)
    reason = serializers.CharField(max_length=MAX_REASON, required=False, allow_blank=True, default="")


class ConfirmedSerializer(Strict):
    """An act with its step-up."""

    nonce = serializers.CharField(max_length=128)
    step_up = StepUpSerializer()


class SuspendSerializer(ConfirmedSerializer):
    """A suspension with its reason and its step-up."""

    reason = serializers.CharField(max_length=MAX_REASON)


class DoubtSerializer(Strict):
    """What an administrator has seen."""

    reason = serializers.CharField(max_length=MAX_REASON)


class PersonLineSerializer(serializers.Serializer[PersonLine]):
    """One account and what its person is here."""

    id = serializers.UUIDField(source="user.pk")
    username = serializers.CharField(source="user.username")
    person = serializers.UUIDField(source="user.person_id")
    name = serializers.CharField(source="user.person.name")
    is_active = serializers.BooleanField(source="user.is_active")
    is_human = serializers.BooleanField(source="user.is_human")
    roles = serializers.ListField(child=serializers.CharField())
    security = serializers.CharField(allow_null=True)
    factors = serializers.ListField(child=serializers.CharField())


class TokenSerializer(serializers.Serializer[OwnToken]):
    """One of one's own tokens."""

    id = serializers.UUIDField(source="reference")
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry", allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    is_over = serializers.BooleanField()


class NewTokenSerializer(Strict):
    """A token to be made."""

    name = serializers.CharField(max_length=80)
    days = serializers.IntegerField(min_value=1, max_value=TOKEN_DAYS_LIMIT)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(TOKEN_SCOPES)),
        min_length=1,
        max_length=2,
    )


class MadeTokenSerializer(TokenSerializer):
    """A token just made; `token` is its text, shown this once."""

    token = serializers.CharField(allow_null=True)
