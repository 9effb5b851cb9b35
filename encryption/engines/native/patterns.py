"""Which paths of a source are taken: shell patterns, one path segment at a time.

A pattern without "/" is a name at any depth; one with "/" starts at the source. "**" stands for any count of
folders. What matches brings along everything beneath it; exclusion wins over inclusion.
"""

import fnmatch
import re
from collections.abc import Iterable
from enum import Enum

_ANY_DEPTH = None


class Verdict(Enum):
    """What becomes of a path."""

    SKIP = "skip"
    PASS_THROUGH = "pass through"  # noqa: S105 - a folder that may hold something that is taken
    TAKE = "take"


class _Pattern:
    def __init__(self, text: str) -> None:
        segments = [segment for segment in text.split("/") if segment]
        if "/" not in text.rstrip("/"):
            segments.insert(0, "**")
        self._segments: list[re.Pattern[str] | None] = [
            _ANY_DEPTH if segment == "**" else re.compile(fnmatch.translate(segment)) for segment in segments
        ]

    def follow(self, parts: list[str]) -> tuple[bool, bool]:
        """Return whether the path matches, and whether something beneath it may."""
        end = len(self._segments)
        states = self._widen({0})
        for part in parts:
            following = set()
            for state in states:
                if state == end:
                    continue
                segment = self._segments[state]
                if segment is _ANY_DEPTH:
                    following.add(state)
                elif segment.match(part):
                    following.add(state + 1)
            states = self._widen(following)
        return end in states, any(state < end for state in states)

    def _widen(self, states: set[int]) -> set[int]:
        for state in sorted(states):
            following = state
            while following < len(self._segments) and self._segments[following] is _ANY_DEPTH:
                following += 1
                states = states | {following}
        return states


class PathFilter:
    """The include and exclude patterns of a job; without an include everything is included."""

    def __init__(self, include: Iterable[str], exclude: Iterable[str]) -> None:
        self._include = [_Pattern(text) for text in include if text.strip("/")]
        self._exclude = [_Pattern(text) for text in exclude if text.strip("/")]

    def judge(self, path: str, *, inside: bool) -> Verdict:
        """Return the verdict on `path`; `inside` says that a folder above it was taken by a pattern."""
        parts = path.split("/")
        if any(pattern.follow(parts)[0] for pattern in self._exclude):
            return Verdict.SKIP
        if inside or not self._include:
            return Verdict.TAKE
        followed = [pattern.follow(parts) for pattern in self._include]
        if any(matches for matches, _beneath in followed):
            return Verdict.TAKE
        return Verdict.PASS_THROUGH if any(beneath for _matches, beneath in followed) else Verdict.SKIP
