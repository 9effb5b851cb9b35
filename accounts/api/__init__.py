"""The API of people, and what the APIs of all apps share: idempotent POSTs and tokens.

Its views are imported by `urls` alone: describing them needs a class that needs this package.
"""

from accounts.api.idempotent import IdempotentPosts
from accounts.authentication import MetricsAuthentication, TokenAuthentication

__all__ = ["IdempotentPosts", "MetricsAuthentication", "TokenAuthentication"]
