"""Server-made SVG: runs as bars, keys as a tree with a text twin; colours come from the stylesheet."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from encryption.models import JobSession

RUNS, RUN_WIDTH, GAP, HEIGHT = 24, 10, 3, 40
# A run of nothing is still seen.
LEAST = 3


def run_bars(sessions: Sequence[JobSession]) -> SafeString | str:
    """The last backups as bars, oldest first: height is what was read, colour how it ended."""
    last = [one for one in sessions if one.kind == JobSession.Kind.BACKUP][:RUNS][::-1]
    if len(last) < 2:
        return ""
    most = max((one.done_bytes for one in last), default=0) or 1
    bars = []
    for place, one in enumerate(last):
        tall = max(LEAST, round(HEIGHT * one.done_bytes / most))
        kind = {"failed": "mark bad", "running": "mark run", "queued": "mark run"}.get(one.state, "mark soft")
        kind = "mark" if kind == "mark soft" and tall > HEIGHT / 2 else kind
        bars.append((kind, place * (RUN_WIDTH + GAP), HEIGHT - tall, RUN_WIDTH, tall))
    drawn = format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="2"/>', bars)
    width = RUNS * (RUN_WIDTH + GAP) - GAP
    failed = sum(one.state == JobSession.State.FAILED for one in last)
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img"'
        ' aria-label="The last {} backups, {} failed">{}</svg>',
        width,
        HEIGHT,
        len(last),
        failed or "none",
        drawn,
    )


@dataclass(frozen=True)
class Node:
    """One key, or many of one kind, and what it wraps."""

    title: str
    note: str
    kind: str = ""
    children: list["Node"] = field(default_factory=list)


NODE_WIDTH, NODE_HEIGHT, NODE_GAP, LEVEL = 148, 38, 12, 74
# A tree of one box is not blown up to the width of its card.
LEAST_WIDTH = 4 * (NODE_WIDTH + NODE_GAP)


def tree(roots: Sequence[Node]) -> SafeString:
    """Draw keys over what they wrap, leaves side by side."""
    boxes: list[SafeString] = []
    lines: list[SafeString] = []
    edge = 0
    for root in roots:
        edge, _ = _place(root, 0, edge, boxes, lines)
    height = LEVEL * max((_depth(root) for root in roots), default=1) - (LEVEL - NODE_HEIGHT) + 2
    return format_html(
        '<svg class="tree" viewBox="0 0 {} {}" role="img"'
        ' aria-label="Which key wraps which; the text below says it too">{}{}</svg>',
        max(edge - NODE_GAP, LEAST_WIDTH) + 2,
        height,
        _joined(lines),
        _joined(boxes),
    )


def _joined(parts: Sequence[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def twin(roots: Sequence[Node]) -> SafeString:
    """The tree as a nested list."""
    items = format_html_join(
        "",
        "<li>{}: {}{}</li>",
        ((node.title, node.note, twin(node.children) if node.children else "") for node in roots),
    )
    return format_html('<ul class="twin">{}</ul>', items)


def _depth(node: Node) -> int:
    return 1 + max((_depth(child) for child in node.children), default=0)


def _place(
    node: Node, level: int, edge: int, boxes: list[SafeString], lines: list[SafeString]
) -> tuple[int, float]:
    """Place a node with all below it from `edge` on; return the next free edge and the node's middle."""
    top, middles = level * LEVEL + 1, []
    next_edge = edge
    for child in node.children:
        next_edge, middle = _place(child, level + 1, next_edge, boxes, lines)
        middles.append(middle)
    middle = (middles[0] + middles[-1]) / 2 if middles else edge + NODE_WIDTH / 2 + 1
    next_edge = next_edge if middles else edge + NODE_WIDTH + NODE_GAP
    for below in middles:
        start, end = top + NODE_HEIGHT, top + LEVEL
        half = (start + end) / 2
        curve = f"M{middle:g} {start}C{middle:g} {half:g} {below:g} {half:g} {below:g} {end}"
        lines.append(format_html('<path d="{}"/>', curve))
    boxes.append(
        format_html(
            '<g class="{}" transform="translate({} {})"><rect width="{}" height="{}" rx="7"/>'
            '<text x="10" y="16">{}</text><text class="sub" x="10" y="30">{}</text></g>',
            node.kind,
            f"{middle - NODE_WIDTH / 2:g}",
            top,
            NODE_WIDTH,
            NODE_HEIGHT,
            node.title,
            node.note,
        )
    )
    return next_edge, middle
