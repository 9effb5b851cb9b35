"""Which time step a typed code belongs to (RFC 6238); the caller sees to it that each step is used once."""

import base64
import binascii
import hmac

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

PERIOD = 30
DIGITS = 6
# One step each way: phones' clocks drift, and a person needs time to type.
TOLERANCE = 1


def matching_step(secret: str, code: str, now: float) -> int | None:
    """Return the step whose code this is, or None. `secret` is base32, `now` seconds of the epoch."""
    typed = code.replace(" ", "")
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    try:
        key = base64.b32decode(secret, casefold=True)
    except binascii.Error:
        return None
    # The apps' default; HMAC with SHA-1 is still sound. Some hand out secrets of 80 bits.
    codes = HOTP(key, DIGITS, SHA1(), enforce_key_length=False)  # noqa: S303
    current = int(now) // PERIOD
    for step in range(current - TOLERANCE, current + TOLERANCE + 1):
        if step >= 0 and hmac.compare_digest(codes.generate(step), typed.encode()):
            return step
    return None
