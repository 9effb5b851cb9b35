"""Under FIPS: which algorithms this process computes with, said once as it starts.

The primitives ask here themselves, so that no door forgets to. Signatures stay Ed25519, which FIPS 186-5
approves; SHA-2, AES-GCM, HKDF, PBKDF2, RSA and P-256 are approved anyway.
"""

from encryption.errors import NotApproved

_in_force = False


def enforce(on: bool) -> None:
    """Say whether this process runs under FIPS (VEEAMSEC_FIPS=1)."""
    global _in_force
    _in_force = on


def is_in_force() -> bool:
    """Return whether this process runs under FIPS."""
    return _in_force


def check(algorithm: str, *, instead: str) -> None:
    """Refuse an algorithm that FIPS does not approve, while it is in force. Raises NotApproved."""
    if _in_force:
        raise NotApproved(f"Under FIPS, {algorithm} is not used. {instead}")


def check_curve(*, is_x25519: bool) -> None:
    """Refuse secrets that are sealed to X25519, while FIPS is in force. Raises NotApproved."""
    if is_x25519:
        check("X25519", instead="Take a key on P-256: an installation that began under FIPS has one.")
