"""Why compliance says no; every one is a `Refused`, so an attempt is logged and the edge knows the answer."""

from audit.errors import Refused


class Invalid(Refused):
    """What was asked for cannot be read: a period that ends before it begins, a day that is none."""

    code = "invalid"


class NotFound(Refused):
    """There is no such thing, or it is not this account's to know."""

    code = "not_found"


class PdfUnavailable(Refused):
    """A PDF cannot be drawn here, or not of this."""

    code = "pdf_unavailable"
