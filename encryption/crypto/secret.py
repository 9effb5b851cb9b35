"""Passwords and keys that do not show themselves.

`Secret` holds bytes that no log, page, pickle or JSON text gets by accident; only `reveal()` gives them. It
shortens their life; it does not promise that memory is wiped, for `reveal()` makes copies that Python owns.
"""

import hmac
import secrets
import string
import unicodedata
from types import TracebackType
from typing import NamedTuple, NoReturn, Self

from precis_i18n import get_profile
from zxcvbn import zxcvbn

from encryption.errors import PasswordRefused

SHORTEST_PASSWORD = 8
# Normalisation expands some characters eighteen times: the length is bounded before it.
LONGEST_PASSWORD = 1024
# zxcvbn's time grows faster than its input, and doubles with each sign that may stand for a letter: beyond
# three
# kinds of them the rest is judged as other signs, which cost nothing and are as hard to guess.
_JUDGED_CHARACTERS = 40
_JUDGED_LOOKALIKES = 3
_LOOKALIKES = dict(zip("@([{<!|$+%", "^&*_~?;:,.", strict=True))

# What a person copies by hand without a doubt: no 0, O, 1, l or I. Six groups of four are 140 bits.
_PLAIN_SIGNS = "".join(c for c in string.ascii_letters + string.digits if c not in "0O1lI")
_GROUPS, _GROUP = 6, 4

_OPAQUE = get_profile("OpaqueString")
_REASONS = {
    "controls": "a control character",
    "unassigned": "not assigned to any character",
    "precis_ignorable_properties": "invisible",
    "old_hangul_jamo": "an old Hangul letter that is not stored in one way only",
    "other": "not a character",
    "contextj": "an invisible joiner in a place where no script uses it",
    "contexto": "in a place where its script does not use it",
}


class Secret:
    """Bytes that refuse to be printed, pickled, copied or serialised; compared in constant time."""

    __slots__ = ("_bytes", "_wiped")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: bytes | bytearray) -> None:
        self._bytes = bytearray(value)
        self._wiped = False

    def reveal(self) -> bytes:
        """Return the bytes; raises ValueError once they are wiped."""
        if self._wiped:
            raise ValueError("this secret was wiped")
        return bytes(self._bytes)

    def wipe(self) -> None:
        """Overwrite the bytes that this object owns."""
        for i in range(len(self._bytes)):
            self._bytes[i] = 0
        self._wiped = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wipe()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal(), other.reveal())

    def __len__(self) -> int:
        return len(self._bytes)

    def __repr__(self) -> str:
        return "<Secret, not shown>"

    def __str__(self) -> NoReturn:
        raise TypeError("a secret is never shown")

    def __format__(self, _spec: str) -> NoReturn:
        raise TypeError("a secret is never shown")

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a secret is never stored or sent")

    def __copy__(self) -> NoReturn:
        raise TypeError("a secret is never copied")

    def __deepcopy__(self, _memo: object) -> NoReturn:
        raise TypeError("a secret is never copied")


class Strength(NamedTuple):
    """How hard a password is to guess: 0 (at once) to 4 (very hard), with reasons in plain words."""

    score: int
    reasons: tuple[str, ...]


def check_password(text: str) -> Secret:
    """Return a new password as RFC 8265 OpaqueString prepares it, in UTF-8.

    Raises PasswordRefused, which says the character and its place, or the length that is wrong.
    """
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise PasswordRefused(
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; this one has {len(text)}."
        )
    try:
        prepared = _OPAQUE.enforce(text)
    except UnicodeEncodeError as error:
        raise PasswordRefused(_explain(text, error)) from None
    return Secret(prepared.encode())


def generate() -> Secret:
    """Return a new password that nobody typed: letters of both cases and digits, by the system.

    Twenty-four signs in groups, each drawn uniformly; drawn again while one of the three kinds is missing.
    """
    while True:
        text = "-".join("".join(secrets.choice(_PLAIN_SIGNS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        if all(any(kind(sign) for sign in text) for kind in (str.isupper, str.islower, str.isdigit)):
            return Secret(text.encode())


def _explain(text: str, error: UnicodeEncodeError) -> str:
    character = text[error.start] if error.start < len(text) else ""
    why = _REASONS.get(error.reason.rpartition("/")[2], "not allowed in passwords")
    name = unicodedata.name(character, "no name") if character else "nothing"
    code = f"U+{ord(character):04X}" if character else ""
    return (
        f"Character {error.start + 1} of the password ({code}, {name}) is {why}. Other devices"
        " may not type or"
        " store it in the same way: leave it out."
    )


def read_password(text: str | bytes) -> Secret:
    """Return a password that opens something that exists: any space becomes U+0020, then NFC, then UTF-8.

    A reader refuses no character: it must agree with a writer of another Unicode version. Raises
    PasswordRefused for bytes that are no UTF-8 and for a length out of bounds.
    """
    try:
        typed = text.decode() if isinstance(text, bytes) else text
        if not 0 < len(typed) <= LONGEST_PASSWORD:
            raise PasswordRefused(
                f"A password has 1 to {LONGEST_PASSWORD} characters; this one has {len(typed)}."
            )
        mapped = "".join(" " if unicodedata.category(c) == "Zs" else c for c in typed)
        return Secret(unicodedata.normalize("NFC", mapped).encode())
    except UnicodeError:
        raise PasswordRefused("The password is not valid Unicode text in UTF-8.") from None


def read_password_file(content: bytes) -> Secret:
    """Return the password in a file's content; one final LF does not belong to it."""
    return read_password(content.removesuffix(b"\n"))


def strength(secret: Secret, hints: tuple[str, ...] = ()) -> Strength:
    """Return how hard `secret` is to guess for one who knows `hints` (names of job, site, people)."""
    text = _cheap_to_judge(secret.reveal().decode()[:_JUDGED_CHARACTERS])
    known = [hint[:_JUDGED_CHARACTERS] for hint in hints if hint][:50]
    judged = zxcvbn(text, user_inputs=known, max_length=_JUDGED_CHARACTERS)
    feedback = judged["feedback"]
    reasons = [feedback["warning"], *feedback["suggestions"]]
    return Strength(int(judged["score"]), tuple(str(reason) for reason in reasons if reason))


def _cheap_to_judge(text: str) -> str:
    kinds = [character for character in dict.fromkeys(text) if character in _LOOKALIKES]
    return text.translate({ord(kind): _LOOKALIKES[kind] for kind in kinds[_JUDGED_LOOKALIKES:]})
