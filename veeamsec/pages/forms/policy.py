"""Asking for other rules: the form shows those in force, what is changed in it is asked for."""

from typing import Any
from uuid import UUID

from django import forms

from accounts.models import Title, User
from approvals.errors import NotFound
from approvals.services import policies, policy_terms
from approvals.services.policy_terms import DECIDE_DAYS, EXECUTE_HOURS, FULLS, MAX_PROCEDURE, MOST_PERSONS
from encryption.models import Repository
from veeamsec.pages.forms.ask import AskForm

POOL = "pool_"
NOWHERE = "There is no such repository: open these rules again from the page of policies."


def _number(label: str, least: int, most: int, **kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=least, max_value=most, **kwargs)


class PolicyForm(AskForm):
    """All the rules of one scope."""

    sections = (
        (
            "Who must approve",
            "",
            ("quorum", *(f"{POOL}{title}" for title in Title.values), "advising_titles"),
        ),
        (
            "Who else, and how",
            "",
            ("administrators_may_approve", "mfa_required", "custody_proof", "number_in_description"),
        ),
        ("How long, how many", "", ("decide_days", "execute_hours", "fulls_a_night")),
        ("The procedure", "", ("procedure_text", "procedure_questions")),
        ("Why", "", ("reason",)),
    )
    scope = forms.UUIDField(required=False, widget=forms.HiddenInput, error_messages={"invalid": NOWHERE})
    quorum = _number("Approvals needed", 1, MOST_PERSONS)
    pool_dpo = _number("Of these, at least so many DPOs", 0, MOST_PERSONS)
    pool_ciso = _number("At least so many CISOs", 0, MOST_PERSONS)
    pool_other = _number("At least so many other members", 0, MOST_PERSONS)
    advising_titles = forms.MultipleChoiceField(
        label="Only advise",
        help_text="They may reject; their approval does not count.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[("dpo", "DPO"), ("ciso", "CISO"), ("other", "other members")],
    )
    administrators_may_approve = forms.BooleanField(
        label="Backup administrators may approve too",
        help_text="Never for people or rules, and without the badge.",
        required=False,
    )
    mfa_required = forms.BooleanField(label="Every decision needs a second factor", required=False)
    custody_proof = forms.BooleanField(
        label="A custodian proves a new password before it is executed",
        help_text="One who did not ask types it from their copy; without that the approval lapses.",
        required=False,
    )
    number_in_description = forms.BooleanField(
        label="A Veeam job's description names the request",
        help_text="So that Veeam's console shows its number. It is a pointer, never a proof.",
        required=False,
    )
    decide_days = _number("Days to decide", *DECIDE_DAYS)
    execute_hours = _number("Hours to begin what was approved", *EXECUTE_HOURS)
    fulls_a_night = _number("New full backups a night, at most", *FULLS)
    procedure_text = forms.CharField(
        label="Text of the procedure",
        max_length=MAX_PROCEDURE,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="Shown to whoever asks for a password.",
    )
    procedure_questions = forms.CharField(
        label="Questions that the asker answers",
        required=False,
        max_length=MAX_PROCEDURE,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="One a line.",
    )

    def choose(self, viewer: User) -> None:
        """Start from the rules in force."""
        terms = policy_terms.of(policies.in_force(self.place()))
        pools = {f"{POOL}{pool['title']}": pool["count"] for pool in terms.pop("pools")}
        questions = "\n".join(terms.pop("procedure_questions"))
        empty = {f"{POOL}{title}": 0 for title in Title.values}
        self.initial = {**terms, "procedure_questions": questions, **empty, **pools, **self.initial}
        self.initial["scope"] = self.place()

    def clean_scope(self) -> UUID | None:
        """Refuse a place that there is not."""
        given: UUID | None = self.cleaned_data["scope"]
        if given and _repository(given) is None:
            raise forms.ValidationError(NOWHERE)
        return given

    def place(self) -> UUID | None:
        """The repository whose rules these are to be; None is everywhere, or a post that names no place."""
        given = self.data.get("scope") if self.is_bound else self.initial.get("scope")
        found = _repository(given) if given else None
        if given and found is None and not self.is_bound:
            # The general rules must not stand where a link spoke of others.
            raise NotFound(NOWHERE)
        return found.pk if found else None

    @property
    def where(self) -> str:
        """The name of that place; empty for everywhere."""
        place = _repository(self.place())
        return place.name if place else ""

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        data = self.cleaned_data
        plain = ("quorum", "advising_titles", "administrators_may_approve", "mfa_required", "decide_days")
        more = (
            "execute_hours",
            "fulls_a_night",
            "custody_proof",
            "number_in_description",
            "procedure_text",
        )
        pools = [{"title": title, "count": data[f"{POOL}{title}"]} for title in Title.values]
        terms = {name: data[name] for name in (*plain, *more)} | {
            "pools": [pool for pool in pools if pool["count"]],
            "procedure_questions": [
                line.strip() for line in data["procedure_questions"].splitlines() if line.strip()
            ],
        }
        return super().wish() | {"scope": data["scope"], "policy": terms}


def _repository(given: object) -> Repository | None:
    try:
        return Repository.objects.filter(pk=UUID(str(given))).first()
    except ValueError:
        return None
