"""What can be asked for: one row a kind, with its form and its words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.models import Role, User
from approvals.models import Kind
from encryption import selectors
from veeamsec.pages.forms import ask as forms
from veeamsec.pages.forms import people, recovery
from veeamsec.pages.forms.analyzer import SuppressForm
from veeamsec.pages.forms.ask import AskForm
from veeamsec.pages.forms.policy import PolicyForm
from veeamsec.pages.forms.veeam import DriftForm, RevertForm


def may_ask_encryption(viewer: User, jobs: Sequence[UUID]) -> bool:
    """Whether somebody may ask for a change of these jobs' encryption; for none: of any job's."""
    if viewer.has_perm("encryption.ask_change_job"):
        return True
    named = selectors.jobs_for(viewer).filter(pk__in=jobs)
    return bool(jobs) and all(selectors.may(viewer, "ask_change", job) for job in named)


def may_ask_encryption_at_all(viewer: User, jobs: Sequence[UUID] = ()) -> bool:
    """Whether somebody may ask for changes of any job's encryption."""
    return viewer.has_perm("encryption.ask_change_job")


def may_ask_recovery(viewer: User, jobs: Sequence[UUID] = ()) -> bool:
    """Whether somebody may ask for what the Enterprise Manager does."""
    return viewer.is_security or viewer.has_role(Role.ENTERPRISE)


def may_ask_people(viewer: User, jobs: Sequence[UUID] = ()) -> bool:
    """Whether somebody may ask for a change of people or rules."""
    facts = viewer.facts()
    return facts.is_security or (facts.active and facts.is_human and Role.ADMINISTRATOR in facts.roles)


@dataclass(frozen=True, slots=True)
class Asking:
    """How one kind of request is asked for."""

    kind: Kind
    form: type[AskForm]
    heading: str
    lead: str
    then: str
    custody: bool = False
    # The procedure's questions are about passwords.
    procedure: bool = False
    badge: bool = False
    may: Callable[[User, Sequence[UUID]], bool] = may_ask_people
    back: str = "people"

    @property
    def slug(self) -> str:
        """How its address ends: the kind, as addresses write it."""
        return str(self.kind).replace("_", "-")

    @property
    def name(self) -> str:
        """How its address is called."""
        return f"ask_{self.kind}"


def _password(kind: Kind, form: type[AskForm], heading: str, lead: str, then: str, custody: bool) -> Asking:
    may = may_ask_encryption
    return Asking(kind, form, heading, lead, then, custody, True, badge=True, may=may, back="requests")


ACTIVATE = _password(
    Kind.ACTIVATE,
    forms.ActivateForm,
    "Activate encryption",
    "Backups of these jobs are written encrypted, once another person has approved the password.",
    "The next backup of each job is a full one under the new keys. Older points stay as they are.",
    custody=True,
)
CHANGE = _password(
    Kind.CHANGE,
    forms.ChangeForm,
    "Change a password",
    "Every restore point under it opens with the new one afterwards, and no longer with the old one.",
    "The worker re-keys each job, and proves that the new password opens it and the old one does not.",
    custody=True,
)
DEACTIVATE = _password(
    Kind.DEACTIVATE,
    forms.DeactivateForm,
    "Deactivate encryption",
    "Backups of these jobs are written in clear, once another person has approved that.",
    "The next backup of each job is a plain full one, and the badge goes.",
    custody=False,
)
DELETE = _password(
    Kind.DELETE,
    forms.DeleteForm,
    "Delete a password",
    "Every version of it is erased for ever. It is refused while anything still needs one.",
    "The worker erases the sealed values; nothing that needs them is left.",
    custody=False,
)
ADD_MEMBER = Asking(
    Kind.ADD_MEMBER,
    people.AddMemberForm,
    "Seat a member of Security",
    "Another member of Security decides. Whoever joins decides only on what is asked from then on.",
    "The worker signs the next roster, with the passkeys that the request names.",
)
REMOVE_MEMBER = Asking(
    Kind.REMOVE_MEMBER,
    people.RemoveMemberForm,
    "End a seat of Security",
    "Another member decides, and not the one whom it is about. Two seats always stay.",
    "Their sessions end, and what they approved and is not executed yet does not count any more.",
)
REPLACE_MEMBER = Asking(
    Kind.REPLACE_MEMBER,
    people.ReplaceMemberForm,
    "Replace a member of Security",
    "One leaves and another joins in the same moment, so that Security never has fewer than two.",
    "The worker signs the next roster; who leaves is signed out everywhere.",
)
GRANT = Asking(
    Kind.GRANT,
    people.GrantForm,
    "Make somebody an administrator",
    "Administrators ask for changes, and decide on those of others where the policy allows it.",
    "The worker signs the next roster, with the passkeys that the request names.",
)
REVOKE = Asking(
    Kind.REVOKE,
    people.RevokeForm,
    "Take an administrator's office",
    "Their decisions that are not executed yet do not count any more.",
    "Their sessions end, and the worker signs the next roster without them.",
)
RESET = Asking(
    Kind.RESET,
    people.ResetForm,
    "Reset somebody's credentials",
    "For who lost their factors, or whose account is in other hands. Nobody else sets their password.",
    "Password, factors, tokens and sessions end; a link goes to their own address, to nobody else.",
)
CHANGE_POLICY = Asking(
    Kind.CHANGE_POLICY,
    PolicyForm,
    "Change the rules",
    "Another member of Security decides under the rules that hold now.",
    "Stricter rules end what is open under the former; easier ones never ease an open request.",
    back="policies",
)
EXPLAIN = Asking(
    Kind.EXPLAIN,
    DriftForm,
    "Explain what was found",
    "Security decides whether it may stand. It is adopted as it is, without the badge.",
    "The alarm closes. If the same place changes again, it is found anew.",
    back="drifts",
)
REVERT = Asking(
    Kind.REVERT,
    RevertForm,
    "Put back what was changed",
    "What was approved last is put in place again, where VeeamSec holds the former password.",
    "The worker changes it back, proves it, and the badge returns.",
    may=may_ask_encryption_at_all,
    back="drifts",
)

SUPPRESS = Asking(
    Kind.SUPPRESS,
    SuppressForm,
    "Suppress a finding",
    "Security decides whether it may stand until a day. It shows again by itself.",
    "The analyzer shows it as suppressed, with this note, until that day or until more falls short.",
    back="compliance",
)


def _enterprise(kind: Kind, form: type[AskForm], heading: str, lead: str, then: str) -> Asking:
    return Asking(kind, form, heading, lead, then, may=may_ask_recovery, back="recovery")


ACTIVATE_KEYSET = _enterprise(
    Kind.ACTIVATE_KEYSET,
    recovery.ActivateKeysetForm,
    "Activate a keyset",
    "From then on every new restore point can be opened by it, without the password. Security decides.",
    "The enterprise worker announces it; the keyset in force retires and still recovers what it protects.",
)
IMPORT_KEYSET = _enterprise(
    Kind.IMPORT_KEYSET,
    recovery.ImportKeysetForm,
    "Import a keyset",
    "What was wrapped for it can then be opened here. It stays inactive.",
    "The enterprise worker opens the export with the passphrase, and keeps the private half sealed.",
)
EXPORT_KEYSET = _enterprise(
    Kind.EXPORT_KEYSET,
    recovery.ExportKeysetForm,
    "Export a keyset",
    "Its private half leaves the house, under a passphrase. Keep both apart, and away from here.",
    "The enterprise worker writes the text; who asked finds it on the page of recovery.",
)
DELETE_KEYSET = _enterprise(
    Kind.DELETE_KEYSET,
    recovery.DeleteKeysetForm,
    "Delete a keyset",
    "Its private half is destroyed. Export it first: what it alone protects is else lost with its password.",
    "The enterprise worker destroys the private half.",
)
REGISTER_SERVER = _enterprise(
    Kind.REGISTER_SERVER,
    recovery.RegisterServerForm,
    "Register a backup server",
    "Compare its fingerprint on both sides first. Its recovery requests can then be answered.",
    "The enterprise worker registers it with the fingerprint that was approved.",
)
TAKE_KEYSET = _enterprise(
    Kind.TAKE_KEYSET,
    recovery.TakeKeysetForm,
    "Take another installation's keyset",
    "New restore points here can then be opened by that Enterprise Manager, once its Security approves.",
    "The worker takes it; what exists can be protected too, on the page of each job.",
)
RECOVER_KEY = _enterprise(
    Kind.RECOVER_KEY,
    recovery.RecoverKeyForm,
    "Answer a recovery request",
    "Whoever works at that server restores these points without the password. Security decides.",
    "The enterprise worker opens the keys and seals them to that server; the answer is good once.",
)

RELEASE = Asking(
    Kind.RELEASE,
    recovery.ReleaseForm,
    "Release a password",
    "A named custodian reads it once, for a restore on another server. Security decides.",
    "The worker seals it to the custodian's open page; afterwards, ask for a change.",
    may=may_ask_encryption_at_all,
    back="passwords",
)

RECOVERY = (
    ACTIVATE_KEYSET,
    IMPORT_KEYSET,
    EXPORT_KEYSET,
    DELETE_KEYSET,
    TAKE_KEYSET,
    REGISTER_SERVER,
    RECOVER_KEY,
    RELEASE,
)
