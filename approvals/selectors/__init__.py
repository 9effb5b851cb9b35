"""Named reads about requests and votes that doors, pages and use cases share."""

from approvals.selectors.details import RequestDetail, VoteLine, request_detail
from approvals.selectors.evidence import evidence
from approvals.selectors.headroom import Headroom, headroom
from approvals.selectors.records import Record, request_record
from approvals.selectors.requests import (
    asked_by,
    counts,
    decided,
    get_visible,
    inbox,
    open_requests,
    open_touching,
    state_at,
    visible,
)
from approvals.selectors.said import said_in
from approvals.selectors.standing import (
    could_decide,
    deciders,
    facts_of,
    named_to_decide,
    obstacle_for,
    voter_of,
)

__all__ = [
    "Headroom",
    "Record",
    "RequestDetail",
    "VoteLine",
    "asked_by",
    "could_decide",
    "counts",
    "decided",
    "deciders",
    "evidence",
    "facts_of",
    "get_visible",
    "headroom",
    "inbox",
    "named_to_decide",
    "obstacle_for",
    "open_requests",
    "open_touching",
    "request_detail",
    "request_record",
    "said_in",
    "state_at",
    "visible",
    "voter_of",
]
