"""Charts as SVG, drawn here: no script, no inline style, the same on a page and on paper."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from compliance.reports.document import Chart

WIDTH, HEIGHT, FOOT, HEAD = 720, 150, 18, 14
# More columns than that leave no room for a label each.
_LABELLED = 14
# A page's stylesheet has the colours, light and dark; paper takes these.
_ON_PAPER = {"seal": "#157347", "act": "#2f5fb3", "wait": "#b26a00", "refuse": "#b3261e", "": "#8a94a6"}


def drawn(chart: Chart) -> SafeString:
    """Draw a chart as stacked columns, with how many each holds above it."""
    totals = [sum(parts) for parts in zip(*(one.values for one in chart.series), strict=True)]
    most = max(totals, default=0) or 1
    step = WIDTH / max(len(totals), 1)
    said = ", ".join(f"{label} {total}" for label, total in zip(chart.labels, totals, strict=True))
    return format_html(
        '<svg class="columns-chart" viewBox="0 0 {} {}" role="img" aria-label="{}: {}">{}{}</svg>',
        WIDTH,
        HEAD + HEIGHT + FOOT,
        chart.title,
        said,
        _parts(chart, most, step),
        _texts(chart, totals, most, step),
    )


def legend(chart: Chart) -> list[dict[str, str]]:
    """Return a mark of each part's colour, with its name and sum."""
    mark = '<svg class="columns-chart key" viewBox="0 0 10 10" aria-hidden="true">{}</svg>'
    return [
        {
            "drawn": format_html(mark, _rect(one.tone, 0, 0, 10, 10)),
            "words": f"{one.label}: {sum(one.values)}",
        }
        for one in chart.series
    ]


def _parts(chart: Chart, most: int, step: float) -> SafeString:
    rects = []
    width = min(step * 0.7, 56)
    for place in range(len(chart.labels)):
        bottom = float(HEAD + HEIGHT)
        for one in chart.series:
            tall = HEIGHT * one.values[place] / most
            bottom -= tall
            if tall:
                rects.append((_rect(one.tone, step * place + (step - width) / 2, bottom, width, tall),))
    return format_html_join("", "{}", rects)


def _rect(tone: str, *sides: float) -> SafeString:
    return format_html(
        '<rect class="{}" fill="{}" x="{}" y="{}" width="{}" height="{}"/>',
        tone or "none",
        _ON_PAPER.get(tone, _ON_PAPER[""]),
        *_n(*sides),
    )


def _texts(chart: Chart, totals: list[int], most: int, step: float) -> SafeString:
    every = -(-len(chart.labels) // _LABELLED)
    texts = []
    for place, (label, total) in enumerate(zip(chart.labels, totals, strict=True)):
        middle = step * (place + 0.5)
        if total:
            texts.append((*_n(middle, HEAD + HEIGHT * (1 - total / most) - 3), str(total)))
        if place % every == 0:
            texts.append((*_n(middle, HEAD + HEIGHT + FOOT - 4), label))
    return format_html_join(
        "", '<text x="{}" y="{}" text-anchor="middle" font-size="11" fill="#555">{}</text>', texts
    )


def _n(*numbers: float) -> list[str]:
    return [f"{number:.1f}" for number in numbers]
