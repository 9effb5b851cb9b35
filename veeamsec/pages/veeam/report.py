"""The first-hour report: the state of a Veeam server's backup encryption, on one page to pass on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from encryption import selectors
from encryption.models import Drift, Job, VeeamJob, VeeamPassword, VeeamServer
from encryption.selectors import opens
from veeamsec.pages import words
from veeamsec.pages.veeam import changes, servers
from veeamsec.pages.viewer import demand, viewer_of

# ISO/IEC 27002 leaves the period to the owner; Veeam's own analyzer takes a year.
ROTATED_WITHIN = timedelta(days=365)
SHARED_BY = 25
_NAMED = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a CISO should know: what it is, what follows, what helps; gravest first."""

    weight: int
    title: str
    follows: str
    helps: str
    names: Sequence[str] = ()
    more: int = 0


@require_safe
def report(request: HttpRequest, server_id: UUID) -> HttpResponse:
    """The state of the backup encryption of one server, to print."""
    viewer = viewer_of(request)
    demand(viewer, "encryption.view_encryptionpassword")
    server = get_object_or_404(selectors.veeam_servers_for(viewer), pk=server_id)
    jobs = selectors.jobs_for(viewer).filter(repository=server.pk)
    of_veeam = VeeamJob.objects.filter(server=server).exclude(job__state=Job.State.DELETED)
    figures = opens.figures(jobs)
    encrypted = of_veeam.exclude(job__password=None).count()
    writing = of_veeam.exclude(type=VeeamJob.ORPHANED).count()
    context = {
        "server": server,
        "mode": servers.mode_of(server),
        "figures": figures,
        "encrypted": encrypted,
        "writing": writing,
        "share": round(100 * encrypted / writing) if writing else 0,
        "findings": sorted(_findings(server, figures), key=lambda one: -one.weight),
        "kinds": _kinds(of_veeam),
        "now": timezone.now(),
    }
    return render(request, "print/veeam_report.html", context)


def _kinds(jobs: QuerySet[VeeamJob]) -> list[dict[str, object]]:
    rows = (
        jobs.order_by("type")
        .values("type")
        .annotate(jobs=Count("pk"), encrypted=Count("pk", filter=Q(job__password__isnull=False)))
    )
    # Of backups without a job nobody can tell.
    return [dict(row) | ({"encrypted": None} if row["type"] == VeeamJob.ORPHANED else {}) for row in rows]


def _findings(server: VeeamServer, figures: opens.Figures) -> list[Finding]:
    found = [*_changed(server), *_gaps(server), *_passwords(server)]
    if figures.unheld:
        found.append(
            Finding(
                4,
                f"{words.count(figures.unheld, 'password version')} whose value nobody is known to hold",
                f"{words.count(figures.unheld_points, 'restore point')} open with them alone. If nobody has"
                " the value, these backups cannot be restored on a new server.",
                "Find who knows each, and have it typed once: Veeam confirms that it is the right one.",
            )
        )
    if server.mode != VeeamServer.Mode.ENFORCED:
        found.append(
            Finding(
                2,
                "One administrator can still change or lose a password alone",
                "Veeam asks for no second person before an encryption password is made, changed or deleted.",
                "Let VeeamSec govern this server: every change then waits for another person's approval.",
            )
        )
    return found


def _changed(server: VeeamServer) -> list[Finding]:
    drifts = list(changes.open_of(server))
    if not drifts:
        return []
    return [
        Finding(
            6,
            f"{words.count(len(drifts), 'change')} that nobody approved",
            "A password or the encryption of a job is not as it was when it was last approved or first read.",
            "Ask who did it, then explain or revert each.",
            *_named([_subject(drift) for drift in drifts]),
        )
    ]


def _gaps(server: VeeamServer) -> list[Finding]:
    words_of = {
        Drift.What.VEEAM_JOB_PLAIN: (
            5,
            "Jobs without encryption",
            "Whoever reaches the repository reads what these jobs write.",
            "Ask to activate encryption, or have Security accept the reason why not.",
        ),
        Drift.What.VEEAM_COPY_PLAIN: (
            5,
            "Copies that decrypt what they copy",
            "The source is encrypted, and the copy lies in clear, often outside the house.",
            "Ask to activate encryption of the copy too.",
        ),
        Drift.What.VEEAM_TIER_PLAIN: (
            4,
            "Repository tiers without encryption",
            "What moves to this tier is written as the job left it.",
            "Encrypt the tier, or make sure that every job above it is encrypted.",
        ),
        Drift.What.VEEAM_CONFIGURATION_PLAIN: (
            5,
            "Configuration backups that are off, or not encrypted",
            "Without an encrypted configuration backup a lost server takes its keys with it.",
            "Switch it on, with encryption, to another place than this server.",
        ),
    }
    gaps = list(changes.gaps_of(server))
    found = []
    for what, (weight, heading, follows, helps) in words_of.items():
        names = [_subject(drift) for drift in gaps if drift.what == what]
        if names:
            title = f"{heading}: {len(names)}"
            found.append(Finding(weight, title, follows, helps, *_named(names)))
    return found


def _passwords(server: VeeamServer) -> list[Finding]:
    live = VeeamPassword.objects.filter(server=server, gone_at=None, is_kms=False).select_related("password")
    old = [one.password.hint for one in live.filter(modified_at__lt=timezone.now() - ROTATED_WITHIN)]
    shared = live.annotate(
        used=Count("password__jobs", filter=~Q(password__jobs__state=Job.State.DELETED))
    ).filter(used__gt=SHARED_BY)
    found = []
    if old:
        title = f"{words.count(len(old), 'password')} older than a year"
        follows = "Everybody who knew one of them since then still opens the backups."
        found.append(Finding(3, title, follows, "Ask for a change of each.", *_named(old)))
    if names := [f"{one.password.hint} ({one.used} jobs)" for one in shared]:
        title = f"{words.count(len(names), 'password')} shared by more than {SHARED_BY} jobs"
        follows = "Who learns one of them opens all of these jobs."
        found.append(Finding(2, title, follows, "Give each group of systems its own.", *_named(names)))
    return found


def _subject(drift: Drift) -> str:
    return str(changes.name_of(drift))


def _named(names: Sequence[str]) -> tuple[Sequence[str], int]:
    return names[:_NAMED], max(len(names) - _NAMED, 0)
