"""Entries of the log on their way to somebody else's collector: forms, frames and ways.

`forms` makes the bytes of one message (RFC 5424, CEF inside it, JSON), `gate` says where a way may lead,
`streams` are syslog's ways (UDP, TCP, TLS), `posts` is the webhook's. Each way has one verb, `send`, which
returns when the other side counts as having received a batch and raises NotReceived otherwise. None of them
knows Django, the database or who asked.
"""
