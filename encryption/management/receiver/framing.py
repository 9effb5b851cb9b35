"""Lines out of a stream, in both framings of RFC 6587, with a bound on every one of them."""

from encryption.engines.veeam.syslog import LARGEST

# What can be read as an event. Shorter, and whoever changes much in a job at once would hide who did it.
LONGEST = LARGEST
# A frame that says it is longer than this is not skipped but the end of the connection.
_LONGEST_SKIPPED = 16 * 1024 * 1024
_DIGITS = len(str(_LONGEST_SKIPPED))


class Frames:
    """Take bytes as they arrive, give whole lines; what is too long is skipped and counted.

    A frame begins with its length where a digit, a space and a `<` follow; else a line feed ends it. Both may
    stand in one stream. `broken` says that the stream cannot be followed any further.
    """

    def __init__(self) -> None:
        self.refused = 0
        self.broken = False
        self._held = bytearray()
        # Octets of a counted frame, or all up to the next line feed, that are thrown away.
        self._skip = 0
        self._skip_line = False
        # So much of a line was searched for its end already.
        self._searched = 0

    @property
    def waits(self) -> bool:
        """Whether a line has begun and not ended."""
        return bool(self._held) or self._skip > 0 or self._skip_line

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that these bytes complete."""
        self._held += data
        lines = []
        while not self.broken and (line := self._next()) is not None:
            if line := line.strip(b"\r\n\0 "):
                lines.append(line)
        return lines

    def end(self) -> list[bytes]:
        """Return what an orderly end of the stream completes: a last line without its line feed."""
        rest, self._held = bytes(self._held).strip(b"\r\n\0 "), bytearray()
        if not rest or self._skip or self._skip_line:
            return []
        # Half a line would tell half of what happened: an event of Veeam's ends with its bracket.
        if rest.endswith(b"]") and self._count_of(rest) is None:
            return [rest]
        self.refused += 1
        return []

    def _next(self) -> bytes | None:
        """One frame, empty when it was thrown away; None while more bytes are needed."""
        if self._skip or self._skip_line:
            return self._skipped()
        counted = self._count_of(self._held)
        if counted is None:
            return self._line()
        octets, begins = counted
        if begins == 0:
            return None
        if octets > LONGEST:
            self.refused += 1
            self.broken = octets > _LONGEST_SKIPPED
            del self._held[:begins]
            self._skip = octets
            return b""
        if len(self._held) < begins + octets:
            return None
        line = bytes(self._held[begins : begins + octets])
        del self._held[: begins + octets]
        return line

    def _count_of(self, held: bytes | bytearray) -> tuple[int, int] | None:
        """The length that a frame states and where it begins; (0, 0) while that cannot be told; None without.

        Veeam's own form begins "1 2026-…": without the `<` of a priority, a digit is no length.
        """
        head = bytes(held[: _DIGITS + 2])
        digits, space, rest = head.partition(b" ")
        if not digits[:1].isdigit() or digits[:1] == b"0" or not digits.isdigit() or len(digits) > _DIGITS:
            return None
        if not space or not rest:
            return 0, 0
        return (int(digits), len(digits) + 1) if rest[:1] == b"<" else None

    def _line(self) -> bytes | None:
        end = self._held.find(b"\n", self._searched)
        self._searched = 0
        if 0 <= end <= LONGEST:
            line = bytes(self._held[:end])
            del self._held[: end + 1]
            return line
        if end < 0 and len(self._held) <= LONGEST:
            self._searched = len(self._held)
            return None
        self.refused += 1
        self._skip_line = True
        return b""

    def _skipped(self) -> bytes | None:
        if self._skip_line:
            end = self._held.find(b"\n")
            self._skip_line = end < 0
            del self._held[: end + 1 if end >= 0 else len(self._held)]
        else:
            gone = min(self._skip, len(self._held))
            del self._held[:gone]
            self._skip -= gone
        return None if self._skip or self._skip_line else b""
