"""What lists of jobs, places, runs, points, passwords and drifts can be narrowed to."""

import django_filters
from django.db.models import QuerySet

from encryption.models import Drift, EncryptionPassword, Job, JobSession, Repository, RestorePoint
from encryption.models.jobs import Engine

_STATES = [(state.value, state.label) for state in (Job.State.ACTIVE, Job.State.DISABLED)]


class JobFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Jobs."""

    name = django_filters.CharFilter(lookup_expr="icontains", label="A part of the name")
    state = django_filters.ChoiceFilter(choices=_STATES, label="Whether it runs")
    repository = django_filters.UUIDFilter(field_name="repository_id", label="The id of a repository")
    encryption_password = django_filters.UUIDFilter(field_name="password_id", label="The id of a password")
    encrypted = django_filters.BooleanFilter(
        field_name="password", lookup_expr="isnull", exclude=True, label="Whether its next run is encrypted"
    )

    class Meta:
        model = Job
        fields: tuple[str, ...] = ()


class RepositoryFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Repositories."""

    name = django_filters.CharFilter(lookup_expr="icontains", label="A part of the name")
    engine = django_filters.ChoiceFilter(choices=Engine.choices, label="What writes into it")
    offsite = django_filters.BooleanFilter(label="Whether it is elsewhere")
    offline = django_filters.BooleanFilter(label="Whether it is out of reach of the network")
    immutable = django_filters.BooleanFilter(label="Whether it refuses to change what it holds")

    class Meta:
        model = Repository
        fields: tuple[str, ...] = ()


class SessionFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Runs, restores and verifications."""

    kind = django_filters.ChoiceFilter(choices=JobSession.Kind.choices, label="What was done")
    state = django_filters.ChoiceFilter(choices=JobSession.State.choices, label="How it stands")

    class Meta:
        model = JobSession
        fields: tuple[str, ...] = ()


class RestorePointFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Restore points."""

    kind = django_filters.ChoiceFilter(choices=RestorePoint.Kind.choices, label="Full or increment")
    password_version = django_filters.UUIDFilter(
        field_name="password_version_id", label="The id of the version that opens it"
    )
    encrypted = django_filters.BooleanFilter(
        field_name="password_version", lookup_expr="isnull", exclude=True, label="Whether it needs a password"
    )
    since = django_filters.IsoDateTimeFilter("created_at", lookup_expr="gte", label="From this time on")
    until = django_filters.IsoDateTimeFilter("created_at", lookup_expr="lt", label="Before this time")

    class Meta:
        model = RestorePoint
        fields: tuple[str, ...] = ()


class PasswordFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Passwords, by what is known of them."""

    hint = django_filters.CharFilter(lookup_expr="icontains", label="A part of the hint")
    job = django_filters.UUIDFilter(field_name="jobs", label="The id of a job that it is for")

    class Meta:
        model = EncryptionPassword
        fields: tuple[str, ...] = ()


class DriftFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Drifts."""

    job = django_filters.UUIDFilter(field_name="job_id", label="The id of a job")
    what = django_filters.CharFilter(label="What was found")
    open = django_filters.BooleanFilter(method="narrow_to_open", label="Whether it is open")

    class Meta:
        model = Drift
        fields: tuple[str, ...] = ()

    def narrow_to_open(self, rows: QuerySet[Drift], name: str, wanted: bool) -> QuerySet[Drift]:
        """Keep the open ones, or the closed ones."""
        return rows.filter(closed_at__isnull=wanted)
