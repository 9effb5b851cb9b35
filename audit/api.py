"""The log over the API: entries, the newest checkpoint, and the proof that an entry is under it."""

from typing import Any

import django_filters
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import keys, selectors
from audit.errors import Forged, LogAltered
from audit.events import Event, Severity
from audit.models import Checkpoint, Entry, Forwarder


class MayReadLog(permissions.BasePermission):
    """Auditors, Security and administrators; roles are mapped to the permission in accounts."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Say whether the account may read the log."""
        return request.user.has_perm("audit.view_entry")


class EntrySerializer(serializers.ModelSerializer[Entry]):
    """An entry with its names, and the bytes that an outsider hashes."""

    number = serializers.SerializerMethodField()
    severity = serializers.SerializerMethodField()
    veeam = serializers.SerializerMethodField()
    subject = serializers.SerializerMethodField()
    names = serializers.SerializerMethodField()
    canonical = serializers.SerializerMethodField()
    leaf_hash = serializers.SerializerMethodField()

    class Meta:
        model = Entry
        fields = (
            "sequence",
            "time",
            "event",
            "number",
            "severity",
            "veeam",
            "actor",
            "person",
            "subject",
            "facts",
            "names",
            "canonical",
            "leaf_hash",
        )

    def get_number(self, entry: Entry) -> int | None:
        """The event's number; null for an event of a later version."""
        return Event(entry.event).number if entry.event in set(Event) else None

    def get_severity(self, entry: Entry) -> str | None:
        """How grave the event is; null for an event of a later version."""
        return Event(entry.event).severity if entry.event in set(Event) else None

    def get_veeam(self, entry: Entry) -> int | None:
        """Veeam's own number of the same event; null where it has none."""
        return Event(entry.event).veeam if entry.event in set(Event) else None

    def get_subject(self, entry: Entry) -> dict[str, str]:
        """What the entry is about."""
        return {"type": entry.subject_type, "id": entry.subject_id}

    def get_names(self, entry: Entry) -> dict[str, str | None]:
        """The names that it commits to; null when erased."""
        return {row.key: row.name for row in entry.names.all()}

    def get_canonical(self, entry: Entry) -> str:
        """The leaf's bytes as text."""
        return bytes(entry.canonical).decode()

    def get_leaf_hash(self, entry: Entry) -> str:
        """SHA-256 of 0x00 and the bytes."""
        return bytes(entry.leaf_hash).hex()


class EntryFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What the list can be narrowed to."""

    event = django_filters.CharFilter(label="An event, or a family with a dot at the end: `rekey.`")
    subject = django_filters.CharFilter(label="The id of a request, job, user …")
    actor = django_filters.UUIDFilter(label="The id of an account")
    severity = django_filters.ChoiceFilter(
        choices=[(one.value, one.value) for one in Severity], label="As grave as this, or graver"
    )
    since = django_filters.IsoDateTimeFilter(label="From this time on")
    until = django_filters.IsoDateTimeFilter(label="Before this time")

    class Meta:
        model = Entry
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: Any) -> Any:
        """Hand the cleaned values to the selector that pages use too."""
        asked = dict(self.form.cleaned_data)
        severity = asked.pop("severity")
        events = selectors.at_least(Severity(severity)) if severity else None
        return selectors.entries(**asked, events=events)


class Entries(generics.ListAPIView[Entry]):
    """The log, newest first."""

    permission_classes = [MayReadLog]
    serializer_class = EntrySerializer
    filterset_class = EntryFilter
    queryset = Entry.objects.all()
    cursor_ordering = "-sequence"


class ForwarderSerializer(serializers.ModelSerializer[Forwarder]):
    """Where entries are sent on, and how far they came; never a key."""

    way = serializers.CharField(read_only=True, help_text="udp, tcp, tls, webhook or apprise")
    form = serializers.CharField(read_only=True, help_text="syslog, cef, json or text")
    waiting = serializers.IntegerField(read_only=True, allow_null=True, help_text="Entries still to be sent")

    class Meta:
        model = Forwarder
        fields = (
            "id",
            "name",
            "way",
            "form",
            "host",
            "port",
            "path",
            "only_alarms",
            "with_names",
            "active",
            "position",
            "waiting",
            "confirmed_at",
            "failures",
            "last_error",
        )


class Forwarders(generics.ListAPIView[Forwarder]):
    """Where the log is forwarded to; they are made in the console."""

    permission_classes = [MayReadLog]
    serializer_class = ForwarderSerializer
    queryset = selectors.forwarders()
    cursor_ordering = "name"


class CheckpointSerializer(serializers.ModelSerializer[Checkpoint]):
    """A signed head and the key that verifies it."""

    vkey = serializers.SerializerMethodField()

    class Meta:
        model = Checkpoint
        fields = ("size", "root", "note", "time", "vkey")

    def get_vkey(self, checkpoint: Checkpoint) -> str:
        """The log's key as C2SP tools take it."""
        return keys.log_verifier(keys.signing_public()).vkey


class ProofSerializer(serializers.Serializer[Any]):
    """That one entry is under the checkpoint."""

    sequence = serializers.IntegerField()
    leaf_hash = serializers.CharField()
    proof = serializers.ListField(child=serializers.CharField())
    checkpoint = CheckpointSerializer()


class Head(APIView):
    """The newest checkpoint."""

    permission_classes = [MayReadLog]

    @extend_schema(responses=CheckpointSerializer)
    def get(self, request: Request) -> Response:
        """Return it; 404 before the first was signed."""
        return Response(CheckpointSerializer(_head()).data)


class Proof(APIView):
    """The proof of one entry."""

    permission_classes = [MayReadLog]

    @extend_schema(responses=ProofSerializer)
    def get(self, request: Request, sequence: int) -> Response:
        """Return it; 404 for one that is not there or not yet under a checkpoint, 409 for an altered one."""
        checkpoint = _head()
        entry = generics.get_object_or_404(Entry, pk=sequence, sequence__lt=checkpoint.size)
        try:
            proof = selectors.inclusion(sequence, checkpoint)
        except Forged as error:
            raise LogAltered(f"Entry {sequence} is not under the signed checkpoint.") from error
        found = {
            "sequence": sequence,
            "leaf_hash": bytes(entry.leaf_hash).hex(),
            "proof": [step.hex() for step in proof],
            "checkpoint": checkpoint,
        }
        return Response(ProofSerializer(found).data)


def _head() -> Checkpoint:
    checkpoint = selectors.head()
    if checkpoint is None:
        raise Http404
    return checkpoint
