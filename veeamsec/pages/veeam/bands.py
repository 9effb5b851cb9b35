"""What opens what, drawn: one row a job, one band a password version, one mark a restore point."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from encryption.selectors.opens import MARKS, Opened, Stretch

WIDTH, BAND, TALLEST, HEIGHT = 600, 24, 10, 40
# What a letter of a band's name takes, on average.
_LETTER = 7.3
_LEAST = 3
LABELS = 5
# Where a mark stands, by its place, which is counted from 1.
_LEFT = [round((place - 0.5) * WIDTH / MARKS) for place in range(MARKS + 1)]


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a page shows."""

    since: datetime
    until: datetime

    def place(self, moment: datetime) -> float:
        """Return where a moment stands, 0 to WIDTH."""
        whole = max((self.until - self.since).total_seconds(), 1.0)
        return min(max((moment - self.since).total_seconds() / whole, 0.0), 1.0) * WIDTH

    def labels(self) -> list[str]:
        """Return what stands over the bands, from the left edge to today."""
        step = (self.until - self.since) / (LABELS - 1)
        form = "%b %Y" if self.until - self.since > timedelta(days=120) else "%-d %b"
        return [f"{self.since + number * step:{form}}" for number in range(LABELS - 1)] + ["today"]


@dataclass(frozen=True, slots=True)
class Band:
    """One stretch as a person reads it."""

    name: str
    tone: str
    words: str
    share: int


def bands(opened: Opened, span: Span, *, changed: bool) -> list[Band]:
    """Return a job's stretches as words; `changed`: what holds now nobody approved."""
    found = []
    for number, stretch in enumerate(opened.stretches):
        last = number == len(opened.stretches) - 1
        width = _end(opened, number, span) - span.place(stretch.begins)
        name, tone = _name(stretch), _tone(stretch, last=last, changed=changed)
        points = "1 restore point" if stretch.points == 1 else f"{stretch.points:,} restore points"
        text = f"{points}, {stretch.begins:%-d %b %Y} to {stretch.ends:%-d %b %Y}"
        found.append(Band(name, tone, text, max(1, min(9, round(9 * width / WIDTH)))))
    return found


def drawing(opened: Opened, span: Span, shown: Sequence[Band]) -> SafeString:
    """Draw a job's bands and marks; the words beside it say the same."""
    parts = []
    for number, band in enumerate(shown):
        left = span.place(opened.stretches[number].begins)
        width = max(_end(opened, number, span) - left - 2, _LEAST)
        fits = int((width - 12) / _LETTER)
        name = band.name if len(band.name) <= fits else f"{band.name[: fits - 1]}…" if fits > 3 else ""
        parts.append((band.tone, f"{left:.1f}", f"{width:.1f}", BAND, f"{left + 7:.1f}", name))
    boxes = format_html_join(
        "",
        '<g class="{}"><rect x="{}" width="{}" height="{}" rx="5"/><text x="{}" y="17">{}</text></g>',
        parts,
    )
    return format_html(
        '<svg class="opens" viewBox="0 0 {} {}" aria-hidden="true">{}<path d="{}"/></svg>',
        WIDTH,
        HEIGHT,
        boxes,
        _marks(opened.marks),
    )


def _marks(marks: Mapping[int, int]) -> str:
    # Thousands on a page, of few heights.
    counts = set(marks.values())
    most = max(counts, default=1)
    tall = {one: 5 if most == 1 else 4 + round((TALLEST - 4) * one / most) for one in counts}
    return "".join([f"M{_LEFT[place]} 29v{tall[points]}" for place, points in marks.items()])


def _end(opened: Opened, number: int, span: Span) -> float:
    # A band reaches to the next one; the last one, in force, to today.
    following = opened.stretches[number + 1 :]
    return span.place(following[0].begins) if following else float(WIDTH)


def _tone(stretch: Stretch, *, last: bool, changed: bool) -> str:
    if last and changed:
        return "changed"
    if stretch.version is None:
        return "plain"
    if stretch.version.sealed_password is None and stretch.version.erased_at is None:
        return "unheld now" if last else "unheld"
    return "now" if last else "former"


def _name(stretch: Stretch) -> str:
    if stretch.version is None:
        return "not encrypted" if stretch.known else "not known"
    return f"{stretch.version.hint} · {stretch.version.number}"
