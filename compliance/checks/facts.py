"""The facts that checks look at, prepared once for all of them: values alone, no rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class JobFacts:
    """One job that is not deleted, governed or not."""

    id: UUID
    name: str
    # The engine of its repository.
    engine: str
    # Its password, if its next run encrypts.
    password: UUID | None
    # The sign's state, as the badge says it.
    sign: str
    # Live restore points by the version that each needs; None: written in clear.
    points: Mapping[UUID | None, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything, at one moment."""

    now: datetime
    jobs: tuple[JobFacts, ...] = ()
