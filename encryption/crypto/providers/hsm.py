"""A hardware security module by PKCS#11: an AES-256 key of the token wraps the master key (RFC 3394).

The wrapping key never leaves the token. OAEP is not used, for tokens that know SHA-1 alone for it are common;
private halves of keysets rest sealed under the master key instead. The library is opened for one act and
closed after it: a process that forks inherits no session, and a token that came back is found.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol, cast

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, TokenFlag

from encryption.crypto.providers import sources
from encryption.errors import KeyMaterialError, KeysAway

_KEY_BYTES = 32
_WRAPPED_BYTES = _KEY_BYTES + 8

# One library, one state in a process.
_lock = Lock()
# PINs that a token refused, by source and value: a second try could lock it.
_refused: set[tuple[str, str]] = set()


class WrappingKey(Protocol):
    """A key that the token's library gives wrapping and unwrapping, which its types do not tell."""

    def wrap_key(self, key: pkcs11.Object, *, mechanism: Mechanism) -> bytes:
        """Return a key of the session wrapped under this one."""
        ...

    def unwrap_key(
        self,
        object_class: ObjectClass,
        key_type: KeyType,
        wrapped: bytes,
        *,
        mechanism: Mechanism,
        template: dict[Attribute, Any],
    ) -> pkcs11.Object:
        """Return a key of the session that was wrapped under this one."""
        ...


@dataclass(frozen=True)
class Token:
    """One key of one token; `pin` says where the PIN lies, never what it is."""

    module: str
    token: str
    label: str
    pin: str

    kind = "pkcs11"

    def wrap(self, key: bytes) -> bytes:
        """Return `key` wrapped; makes the wrapping key if the token has none under its label."""

        def act(session: pkcs11.Session) -> bytes:
            held = session.create_object(
                {
                    Attribute.CLASS: ObjectClass.SECRET_KEY,
                    Attribute.KEY_TYPE: KeyType.AES,
                    Attribute.VALUE: key,
                    Attribute.TOKEN: False,
                    Attribute.EXTRACTABLE: True,
                    Attribute.SENSITIVE: False,
                }
            )
            wrapping = self._found(session) or self._made(session)
            return wrapping.wrap_key(held, mechanism=Mechanism.AES_KEY_WRAP)

        return self._with_session(act, write=True)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the key in `wrapped`. Raises KeysAway, KeyMaterialError."""
        if len(wrapped) != _WRAPPED_BYTES:
            raise KeyMaterialError("The wrapped master key has another length: bring it back from a backup.")

        def act(session: pkcs11.Session) -> bytes:
            wrapping = self._found(session)
            if wrapping is None:
                raise KeysAway(f"The token {self.token} holds no key {self.label}.")
            try:
                opened = wrapping.unwrap_key(
                    ObjectClass.SECRET_KEY,
                    KeyType.AES,
                    wrapped,
                    mechanism=Mechanism.AES_KEY_WRAP,
                    template={
                        Attribute.TOKEN: False,
                        Attribute.EXTRACTABLE: True,
                        Attribute.SENSITIVE: False,
                    },
                )
            except (pkcs11.WrappedKeyInvalid, pkcs11.WrappedKeyLenRange, pkcs11.GeneralError) as error:
                # SoftHSM says "general error" of altered bytes; session and key were there a moment ago.
                raise KeyMaterialError(
                    f"The wrapped master key does not open under {self.label} of the token {self.token}:"
                    " it was altered, or wrapped by another key."
                ) from error
            return bytes(opened[Attribute.VALUE])

        return self._with_session(act, write=False)

    def _found(self, session: pkcs11.Session) -> WrappingKey | None:
        wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: self.label}
        found = list(session.get_objects(wanted))
        if len(found) > 1:
            raise KeyMaterialError(f"The token {self.token} holds several keys named {self.label}.")
        return cast(WrappingKey, found[0]) if found else None

    def _made(self, session: pkcs11.Session) -> WrappingKey:
        made = session.generate_key(
            KeyType.AES,
            _KEY_BYTES * 8,
            label=self.label,
            store=True,
            capabilities=MechanismFlag.WRAP | MechanismFlag.UNWRAP,
            template={Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True},
        )
        return cast(WrappingKey, made)

    def _with_session(self, act: Callable[[pkcs11.Session], bytes], *, write: bool) -> bytes:
        try:
            with _lock, self._library() as library:
                token = library.get_token(token_label=self.token)
                pin = self._pin(token)
                try:
                    opened = token.open(rw=write, user_pin=pin)
                except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange) as error:
                    _refused.add((self.pin, pin))
                    raise KeysAway(
                        f"The token {self.token} refuses the PIN in {self.pin}; it is not tried again"
                        " before it was changed."
                    ) from error
                with opened as session:
                    return act(session)
        except (pkcs11.PKCS11Error, OSError) as error:
            raise KeysAway(f"The token {self.token} cannot be used: {type(error).__name__}.") from error

    def _pin(self, token: pkcs11.Token) -> str:
        try:
            pin = sources.read(self.pin).decode().removesuffix("\n")
        except KeyMaterialError as error:
            raise KeysAway(error.message) from error
        except UnicodeDecodeError:
            raise KeysAway(f"{self.pin} holds no PIN.") from None
        if (self.pin, pin) in _refused:
            raise KeysAway(
                f"The token {self.token} refused the PIN in {self.pin}: write the right one there."
            )
        if token.flags & (TokenFlag.USER_PIN_FINAL_TRY | TokenFlag.USER_PIN_LOCKED):
            raise KeysAway(
                f"The token {self.token} is locked, or one wrong PIN from it: unlock it with its own tool."
            )
        return pin

    @contextlib.contextmanager
    def _library(self) -> Iterator[Any]:
        library = pkcs11.lib(self.module)
        try:
            yield library
        finally:
            library.finalize()
