"""Edits of what somebody else may edit at the same time: the ETag that was read comes back as If-Match."""

import re

from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from encryption import selectors
from encryption.models import Job, Repository
from encryption.services.jobs import Seen

_STRONG = re.compile(r'(W/)?"([^"]*)"')


class PreconditionRequired(exceptions.APIException):
    """An edit that does not say from which state it was made (RFC 6585)."""

    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_code = "precondition_required"
    default_detail = "An edit names the ETag that it was made from, as If-Match."


class Edited(APIView):
    """A view of one row that PATCH changes and DELETE ends."""

    def seen(self, request: Request) -> Seen | None:
        """Return how the row's revision is judged by If-Match (RFC 9110): any for `*`, else one of the list.

        Raises PreconditionRequired where a PATCH has none; a DELETE may go without.
        """
        given = request.headers.get("If-Match")
        if given is None:
            if request.method == "PATCH":
                raise PreconditionRequired
            return None
        if given.strip() == "*":
            return lambda _: True
        # A weak one compares with nothing here.
        named = {tag for weak, tag in _STRONG.findall(given) if not weak}
        return lambda revision: revision in named


def tagged(row: Job | Repository, response: Response) -> Response:
    """Return the answer with the row's ETag."""
    response["ETag"] = f'"{selectors.revision(row)}"'
    return response
