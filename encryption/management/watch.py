"""Looking on while a worker works on a session."""

import itertools
import time
from collections.abc import Callable
from uuid import UUID

from django.core.management.base import CommandError

from encryption.models import JobSession

_SECONDS = 0.5
_PATIENCE = 30


def watch(session_id: UUID, say: Callable[[str], object]) -> JobSession:
    """Tell how a session goes until it ends, and return it. Raises CommandError when it failed."""
    told = ""
    for look in itertools.count():
        session = JobSession.objects.get(pk=session_id)
        text = f"{session.get_state_display()}: {session.done_files:,} files, {session.done_bytes:,} bytes"
        if text != told:
            say(text)
            told = text
        if session.state not in JobSession.OPEN:
            break
        if look == _PATIENCE and session.state == JobSession.State.QUEUED:
            say("No worker has taken it yet: is one running?")
        time.sleep(_SECONDS)
    for warning in session.warnings:
        say(f"Warning: {warning}")
    if session.state == JobSession.State.FAILED:
        raise CommandError(session.error)
    return session
