"""Requests, votes and policies in the console: to read. Nothing is decided, changed or deleted here (P8)."""

from django.contrib import admin
from django.http import HttpRequest

from approvals import selectors
from approvals.models import ApprovalRequest, Policy, RequestTarget, Vote


class ReadOnly:
    """No add, change or delete, whoever asks; a superuser included."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Say no."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Say no."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Say no."""
        return False


class TargetInline(ReadOnly, admin.TabularInline[RequestTarget, ApprovalRequest]):
    """What a request touches."""

    model = RequestTarget
    fields = readonly_fields = ("type", "ref", "open")
    extra = 0


class VoteInline(ReadOnly, admin.TabularInline[Vote, ApprovalRequest]):
    """Who decided, without the proof."""

    model = Vote
    fk_name = "request"
    fields = readonly_fields = ("person", "capacity", "title", "verdict", "comment", "cast_at")
    extra = 0


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnly, admin.ModelAdmin[ApprovalRequest]):
    """The list of requests; the page of one is the house's."""

    list_display = ("__str__", "kind", "state_now", "asker_person", "created_at", "decide_by")
    list_filter = ("state", "kind")
    list_select_related = ("asker_person",)
    search_fields = ("number",)
    fields = (
        "number",
        "kind",
        "state_now",
        "outcome",
        "asker",
        "asker_person",
        "digest",
        "decide_by",
        "execute_by",
        "created_at",
        "decided_at",
        "ended_at",
    )
    inlines = (TargetInline, VoteInline)

    @admin.display(description="state")
    def state_now(self, request: ApprovalRequest) -> str:
        """The state by the server's clock."""
        return selectors.state_at(request)


@admin.register(Policy)
class PolicyAdmin(ReadOnly, admin.ModelAdmin[Policy]):
    """The rules in force; they change by a decided request."""

    list_display = ("number", "scope", "quorum", "administrators_may_approve", "mfa_required", "created_at")
    list_select_related = ("scope",)
