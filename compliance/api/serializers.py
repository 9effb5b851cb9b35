"""Reports in and out of JSON."""

from typing import Any

from rest_framework import serializers

from compliance.models import Report, ReportSchedule


class KindSerializer(serializers.Serializer[Any]):
    """One report that can be asked for."""

    name = serializers.CharField()
    title = serializers.CharField()
    lead = serializers.CharField()
    wants = serializers.ListField(child=serializers.CharField())
    told = serializers.BooleanField()
    packs = serializers.BooleanField()


class CatalogueSerializer(serializers.Serializer[Any]):
    """Every report there is."""

    reports = KindSerializer(many=True)


class WantedSerializer(serializers.Serializer[Any]):
    """What a report is asked for; each report takes what its `wants` names."""

    since = serializers.DateField(required=False, help_text="The first day, in UTC")
    until = serializers.DateField(required=False, help_text="The last day, in UTC")
    repository = serializers.UUIDField(required=False, help_text="A copy of all of it")
    job = serializers.UUIDField(required=False, help_text="A copy of this job")
    restore_point = serializers.UUIDField(required=False, help_text="A copy of this restore point")
    day = serializers.DateField(required=False, help_text="Of which the copy is, in UTC")
    request = serializers.CharField(required=False, max_length=40, help_text="Its number or id")


class MakingSerializer(WantedSerializer):
    """As which file."""

    form = serializers.ChoiceField(choices=Report.Form.choices, default=Report.Form.PDF)


class ReportSerializer(serializers.ModelSerializer[Report]):
    """A report as a file."""

    class Meta:
        model = Report
        fields = ("id", "name", "form", "asked", "state", "error", "created_at", "made_at", "expires_at")
        read_only_fields = fields


class NewScheduleSerializer(serializers.Serializer[Any]):
    """Who is told which report how often."""

    report = serializers.CharField(max_length=30)
    every = serializers.ChoiceField(choices=ReportSchedule.Every.choices)
    recipients = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=50)


class ScheduleSerializer(serializers.ModelSerializer[ReportSchedule]):
    """One report told again and again."""

    report = serializers.CharField(source="name")
    recipients: Any = serializers.PrimaryKeyRelatedField(many=True, read_only=True)

    class Meta:
        model = ReportSchedule
        fields = ("id", "report", "every", "by", "recipients", "next_at", "created_at", "ended_at")
        read_only_fields = fields
