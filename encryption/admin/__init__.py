"""The console's jobs and repositories: edited by use cases, run by actions; the rest is seen."""

from encryption.admin import forwarding, places, records

__all__ = ["forwarding", "places", "records"]
