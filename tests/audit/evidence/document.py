"""The document and its blocks: fences named after what they show."""

import re
from pathlib import Path

from . import example

DOCUMENT = Path(__file__).parents[3] / "docs" / "evidence-format.md"
BUNDLE = DOCUMENT.with_name("evidence-example.json")


def read() -> dict[str, str]:
    """Every block that the document shows, by its name."""
    fences = re.findall(r"^```(?:json|text) (\w+)\n(.*?)\n```$", DOCUMENT.read_text(), re.S | re.M)
    return dict(fences)


def write() -> None:
    """Put the example into the document, and the whole bundle beside it."""
    text = DOCUMENT.read_text()
    for name, block in example.blocks().items():
        fence = re.compile(rf"^(```(?:json|text) {name}\n).*?^(```)$", re.S | re.M)
        text, found = fence.subn(lambda match, block=block: f"{match[1]}{block}\n{match[2]}", text)
        if found != 1:
            raise SystemExit(f"the document has {found} blocks named {name}")
    DOCUMENT.write_text(text)
    BUNDLE.write_text(example.pretty(example.whole()) + "\n")
