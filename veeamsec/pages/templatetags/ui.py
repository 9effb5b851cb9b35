"""What templates draw with: icons, times, sizes, digests."""

from datetime import datetime
from functools import cache
from pathlib import Path

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from veeamsec.pages import words

register = template.Library()


@register.simple_tag
def icon(name: str, tone: str = "") -> SafeString:
    """One of the vendored icons, drawn inline so that no page fetches them."""
    drawing = _drawing(name)
    return mark_safe(drawing.replace('class="icon"', f'class="icon {tone}"') if tone else drawing)  # noqa: S308


@cache
def _drawing(name: str) -> str:
    if not name.replace("-", "").isalnum():
        raise ValueError(f"no icon {name!r}")
    return (Path(settings.BASE_DIR) / "templates" / "icons" / f"{name}.svg").read_text().strip()


@register.simple_tag
def ago(moment: datetime | None, never: str = "never") -> SafeString | str:
    """A relative time with the exact one in its title."""
    if moment is None:
        return never
    return _time(moment, words.ago(moment, timezone.now()))


@register.simple_tag
def moment(moment: datetime | None, never: str = "never") -> SafeString | str:
    """An exact time; the page's script shows it in the reader's zone."""
    if moment is None:
        return never
    return _time(moment, words.exact(moment), "exact")


def _time(moment: datetime, text: str, kind: str = "ago") -> SafeString:
    return format_html(
        '<time class="nowrap" datetime="{}" title="{}" data-time="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        words.exact(moment),
        kind,
        text,
    )


@register.filter
def filesize(number: int) -> str:
    """Bytes, in words."""
    return words.size(number or 0)


@register.filter
def counted(number: int, noun: str) -> str:
    """A number with its noun; an irregular plural after a comma."""
    one, _, many = noun.partition(",")
    return words.count(number, one, many)


@register.filter
def lasting(seconds: float) -> str:
    """A length of time."""
    return words.duration(seconds)


@register.filter
def every(minutes: int) -> str:
    """A schedule."""
    return words.every(minutes)


@register.filter
def short(digest: str) -> str:
    """A digest by its ends."""
    return words.short(digest)


@register.filter
def initials(name: str) -> str:
    """A name by its initials."""
    return words.initials(name)
