"""POSTs that create, done once however often they are sent: for the views of every app."""

import json
from typing import Any

from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.services import idempotency


class _Replay(exceptions.APIException):
    def __init__(self, answer: idempotency.Answer) -> None:
        super().__init__()
        self.answer = answer


class IdempotentPosts(APIView):
    """For views whose POST creates: one with an Idempotency-Key is done once; its answer is given again."""

    # Members of the answer that are shown once and not kept for a repetition.
    shown_once: frozenset[str] = frozenset()
    _claimed: Any = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After all permissions, take the key or stop with the answer of before."""
        super().initial(request, *args, **kwargs)
        key = request.headers.get("Idempotency-Key")
        if request.method != "POST" or key is None:
            return
        taken = idempotency.claim(
            person=_user(request).person, key=key, route=request.path[:200], body=request.data
        )
        if isinstance(taken, idempotency.Answer):
            raise _Replay(taken)
        self._claimed = taken

    def handle_exception(self, exc: Exception) -> Response:
        """Give the answer of before; free the key when the work broke."""
        if isinstance(exc, _Replay):
            return Response(exc.answer.body, exc.answer.status, headers={"Idempotent-Replayed": "true"})
        try:
            return super().handle_exception(exc)
        except BaseException:
            if self._claimed is not None:
                idempotency.release(self._claimed)
            raise

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep the answer that is about to go out."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if self._claimed is not None:
            claimed, self._claimed = self._claimed, None
            data = getattr(response, "data", None)
            kept = _plain(response, data)
            if self.shown_once and isinstance(kept, dict):
                kept = {name: None if name in self.shown_once else value for name, value in kept.items()}
            idempotency.settle(claimed, status=response.status_code, body=kept)
        return response


def _plain(response: Any, data: Any) -> Any:
    # Through the renderer: what is kept is what was sent, dates and ids as text.
    return json.loads(response.accepted_renderer.render(data)) if data is not None else None


def _user(request: Request) -> User:
    if not isinstance(request.user, User):
        raise exceptions.NotAuthenticated
    return request.user
