"""Lines out of a stream: both framings, any cut, and a bound on everything."""

import random

import pytest

from encryption.management.receiver.framing import LONGEST, Frames

LINE = b'<14>1 2026-11-02T12:00:00Z VBR01 Veeam_MP - - [x instanceId=31700 Hint="a"]'
BARE = LINE.removeprefix(b"<14>")


def counted(line: bytes) -> bytes:
    return b"%d %s" % (len(line), line)


@pytest.mark.parametrize(
    "stream",
    [
        counted(LINE) + counted(LINE),
        LINE + b"\n" + LINE + b"\n",
        LINE + b"\r\n" + LINE + b"\0\n",
        counted(LINE) + LINE + b"\n",
        LINE + b"\n" + counted(LINE),
        counted(LINE + b"\n") + counted(LINE),
    ],
)
def test_both_framings_are_read_in_any_pieces(stream):
    for size in (1, 2, 7, len(stream)):
        frames, lines = Frames(), []
        for start in range(0, len(stream), size):
            lines += frames.feed(stream[start : start + size])
        assert (lines, frames.refused, frames.waits) == ([LINE, LINE], 0, False)


def test_a_line_without_priority_is_no_count():
    assert Frames().feed(BARE + b"\n") == [BARE]


def test_a_last_line_without_its_end_is_taken():
    frames = Frames()
    assert (frames.feed(LINE), frames.end(), frames.refused) == ([], [LINE], 0)


@pytest.mark.parametrize("rest", [LINE[:-9], counted(LINE)[:-4], b"123"])
def test_half_a_line_is_refused(rest):
    frames = Frames()
    frames.feed(rest)
    assert (frames.end(), frames.refused) == ([], 1)


def test_a_line_that_is_too_long_is_skipped_and_the_next_is_read():
    frames = Frames()
    lines = frames.feed(b"x" * (LONGEST * 3)) + frames.feed(b"y\n" + LINE + b"\n")
    assert (lines, frames.refused) == ([LINE], 1)


def test_the_longest_line_is_read():
    line = b"<14>" + b"x" * (LONGEST - 4)
    assert Frames().feed(line + b"\n" + counted(line)) == [line, line]


def test_a_counted_frame_that_is_too_long_is_skipped_and_the_next_is_read():
    frames = Frames()
    long = b"<14>" + b"x" * LONGEST
    assert (frames.feed(counted(long) + counted(LINE)), frames.refused) == ([LINE], 1)


def test_a_count_beyond_reason_ends_the_stream():
    frames = Frames()
    assert (frames.feed(b"99999999 <14>"), frames.broken, frames.refused) == ([], True, 1)


def test_no_line_is_held_beyond_its_bound():
    frames = Frames()
    for _ in range(100):
        frames.feed(b"x" * 65_536)
    assert len(frames._held) <= LONGEST


def test_garbage_never_raises_and_never_stops():
    """Whatever came before, a line feed puts the reader back on its feet."""
    chance = random.Random(7)
    for _ in range(300):
        frames = Frames()
        for _ in range(chance.randrange(6)):
            frames.feed(chance.randbytes(chance.randrange(300)))
            frames.feed(b"%d " % chance.randrange(10**9) if chance.random() < 0.2 else b"\n")
        if not frames.broken and not frames._skip:
            assert frames.feed(b"\n" + LINE + b"\n")[-1:] == [LINE]
