"""A browser in a thread of its own.

Playwright's event loop runs in the thread that started it, and Django keeps other connections where one runs:
so the tests stay in theirs, and reach every object of the browser through a stand-in.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Remote:
    """Stands in for one object of playwright: each call is made, and awaited, in the browser's thread."""

    def __init__(self, target: Any, thread: ThreadPoolExecutor) -> None:
        self._target = target
        self._thread = thread

    def run(self, work: Callable[[Any], Any]) -> Any:
        """Do something with the real object, in its thread."""
        return self._wrapped(self._thread.submit(work, self._target).result())

    def __getattr__(self, name: str) -> Any:
        value = self._thread.submit(getattr, self._target, name).result()
        if not callable(value):
            return self._wrapped(value)

        def call(*given: Any, **named: Any) -> Any:
            plain = [one._target if isinstance(one, Remote) else one for one in given]
            return self._wrapped(self._thread.submit(value, *plain, **named).result())

        return call

    def _wrapped(self, value: Any) -> Any:
        return Remote(value, self._thread) if type(value).__module__.startswith("playwright") else value
