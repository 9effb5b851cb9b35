"""The console's jobs and repositories: edited by use cases, run by actions; the rest is seen."""

from encryption.admin import places, records

__all__ = ["places", "records"]
