"""Why recovery says no; every one is a `Refused`, so an attempt is logged and the edge knows the answer."""

from audit.errors import Refused


class Unreadable(Refused):
    """A text that was carried here is no document of the expected kind."""

    code = "invalid"


class Cut(Unreadable):
    """The text ends before its END line."""


class Damaged(Unreadable):
    """The text's checksum does not hold, or it is no base64."""


class AnotherKind(Unreadable):
    """The text is of another kind than the one that is expected here."""


class NotGenuine(Refused):
    """A document's signature does not hold, or it contradicts itself."""

    code = "invalid"


class UnknownServer(Refused):
    """A backup server that is not registered here, or not any more."""

    code = "unknown_server"


class UnknownKeyset(Refused):
    """A keyset that this Enterprise Manager does not hold, or not any more."""

    code = "unknown_keyset"


class Replayed(Refused):
    """A request that was seen before, or a response that was used before."""

    code = "replayed"


class OutOfTime(Refused):
    """A document that is too old, or from the future."""

    code = "expired"


class ForAnother(Refused):
    """A response to another server or another request, or of another Enterprise Manager."""

    code = "not_for_this"


class DoesNotOpen(Refused):
    """What is sealed or wrapped does not open with the keys that are here."""

    code = "does_not_open"
