"""Texts that people carry, and what mail makes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery import armor
from recovery.armor import Kind
from recovery.errors import AnotherKind, Cut, Damaged, Unreadable

CONTENT = bytes(range(256)) * 3
TEXT = armor.write(Kind.REQUEST, CONTENT)


@given(st.binary(min_size=1, max_size=4000), st.sampled_from(Kind))
def test_what_is_written_is_read(content, kind):
    assert armor.read(kind, armor.write(kind, content)) == content


def _narrowed(text: str) -> list[str]:
    lines = text.splitlines()
    halves = [part for line in lines[1:-2] for part in (line[:40], line[40:])]
    return [lines[0], *halves, *lines[-2:]]


MAILS = {
    "crlf": TEXT.replace("\n", "\r\n"),
    "old mac": TEXT.replace("\n", "\r"),
    "quoted": "".join(f"> {line}\n" for line in TEXT.splitlines()),
    "quoted twice": "".join(f"> > {line}\n" for line in TEXT.splitlines()),
    "bars": "".join(f"| {line}\n" for line in TEXT.splitlines()),
    "trailing blanks": "".join(f"{line}  \t \n" for line in TEXT.splitlines()),
    "blank lines": TEXT.replace("\n", "\n\n"),
    "letter around it": f"Dear EM,\nplease\n\n{TEXT}\n\n-- \nOlga",
    "another block before": armor.write(Kind.SERVER, b"server") + TEXT,
    "no-break blanks": TEXT.replace("\n", "\u00a0\n"),
    "narrow": "\n".join(_narrowed(TEXT)),
}


@pytest.mark.parametrize("name", MAILS)
def test_mail_does_not_hurt(name):
    assert armor.read(Kind.REQUEST, MAILS[name]) == CONTENT


def test_a_cut_text_is_said_to_be_cut():
    with pytest.raises(Cut):
        armor.read(Kind.REQUEST, TEXT[: len(TEXT) // 2])


@pytest.mark.parametrize("number", range(1, len(TEXT.splitlines()) - 1))
def test_every_line_counts(number):
    lines = TEXT.splitlines()
    del lines[number]
    with pytest.raises(Damaged):
        armor.read(Kind.REQUEST, "\n".join(lines))


def test_a_changed_letter_is_damage():
    first = TEXT.splitlines()[1]
    changed = ("B" if first[0] == "A" else "A") + first[1:]
    with pytest.raises(Damaged):
        armor.read(Kind.REQUEST, TEXT.replace(first, changed, 1))


def test_another_kind_is_said_by_name():
    with pytest.raises(AnotherKind, match="recovery request"):
        armor.read(Kind.RESPONSE, TEXT)


@pytest.mark.parametrize("text", ["", "hello", "-----BEGIN PGP MESSAGE-----\n"])
def test_no_block_is_unreadable(text):
    with pytest.raises(Unreadable):
        armor.read(Kind.REQUEST, text)


@given(st.text(max_size=300))
def test_nothing_else_breaks_it(text):
    with pytest.raises(Unreadable):
        armor.read(Kind.KEYSET, text)
