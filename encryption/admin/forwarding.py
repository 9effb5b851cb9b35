"""Where the log is forwarded to, how far it came, and what the last error was."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from audit import selectors
from audit.models import Forwarder
from encryption.admin.console import Edited, actor, each
from encryption.crypto.secret import Secret
from encryption.services import forwarding


class Unseen(forms.Textarea):
    """Takes a text and never shows it again."""

    def format_value(self, value: Any) -> str:
        """Nothing."""
        return ""


class ForwarderForm(forms.ModelForm[Forwarder]):
    """A place, with its key."""

    secret = forms.CharField(
        label="Key",
        required=False,
        max_length=16_384,
        widget=Unseen(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text="A webhook's: 32 signs or more. With a certificate of ours: its private key in PEM form."
        " A chat's: its apprise address, which alone says where it leads."
        " It is never shown again; leave it empty to keep the one that is there.",
    )
    from_start = forms.BooleanField(
        label="From the first entry", required=False, help_text="Else only what happens from now on."
    )

    class Meta:
        model = Forwarder
        fields = (
            "name",
            "way",
            "form",
            "host",
            "port",
            "path",
            "authority",
            "certificate",
            "only_alarms",
            "with_names",
        )
        help_texts = {
            "host": "A name or an IP address, alone. One in a private network must be named in"
            " VEEAMSEC_FORWARD_TO. Of a chat leave host, port and path empty.",
            "port": "Syslog over TLS: 6514, over TCP or UDP: 514, a webhook: 443.",
            "path": "Of a webhook, like /services/veeamsec.",
            "authority": "In PEM form: who signed the receiver's certificate. Empty: the authorities of this"
            " machine.",
            "certificate": "In PEM form, where the receiver asks who we are (TLS).",
            "only_alarms": "What is raised, taken on and resolved; else every entry of the log.",
            "with_names": "Names of accounts and things go with the entries: erased here, they stay there.",
        }
        widgets = {name: forms.Textarea(attrs={"rows": 4}) for name in ("authority", "certificate")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A chat's place is read from its address; of every other the use case asks for it.
        for name in {"host", "port"} & set(self.fields):
            self.fields[name].required = False


@admin.register(Forwarder)
class ForwarderAdmin(Edited):
    """Forwarders."""

    form = ForwarderForm
    list_display = (
        "name",
        "place",
        "only_alarms",
        "active",
        "waiting",
        "last_error",
        "failures",
        "confirmed_at",
        "position",
        "way",
    )
    list_filter = ("active", "way", "form")
    search_fields = ("name", "host")
    ordering = ("name",)
    actions = ("test", "stop", "resume")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Forwarder]:
        """Return forwarders with what waits."""
        return selectors.forwarders()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A start is chosen once, and a key is for who may change the place."""
        plain = list(ForwarderForm.Meta.fields)
        if obj is None:
            return [*plain, "secret", "from_start"]
        return [*plain, "secret"] if self.has_change_permission(request, obj) else plain

    @sensitive_variables("secret")
    def save_by(self, request: HttpRequest, row: Any | None, fields: dict[str, Any]) -> Model:
        """Make or change a forwarder."""
        text = fields.pop("secret", "")
        secret = Secret(text.encode()) if text else None
        if row is None:
            return forwarding.make(by=actor(request), secret=secret, **fields)
        return forwarding.change(row.pk, by=actor(request), secret=secret, **fields)

    @admin.display(description="place")
    def place(self, row: Forwarder) -> str:
        """Where it leads."""
        chat = row.way == Forwarder.Way.APPRISE
        return f"{row.path} at {row.host}:{row.port}" if chat else f"{row.host}:{row.port}{row.path}"

    @admin.display(description="waiting")
    def waiting(self, row: Forwarder) -> int:
        """How many entries are still to be sent."""
        return getattr(row, "waiting", None) or 0

    @admin.action(description="Send a test entry", permissions=["change"])
    def test(self, request: HttpRequest, queryset: QuerySet[Forwarder]) -> None:
        """Write an entry to be sent; the list shows whether it came through."""
        rows = queryset.values_list("pk", "name")
        each(request, rows, "is tried: reload, and look at what waits", forwarding.test)

    @admin.action(description="Stop", permissions=["change"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Forwarder]) -> None:
        """Stop sending."""
        each(request, queryset.values_list("pk", "name"), "is stopped", forwarding.stop)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Forwarder]) -> None:
        """Send again, from the last entry that was received."""
        each(request, queryset.values_list("pk", "name"), "is resumed", forwarding.resume)
