"""How gunicorn serves: bounded in everything, and a log of requests without what they carry."""

import datetime
from typing import Any

from gunicorn.glogging import Logger

from veeamsec.logs import TOKEN_PATHS

worker_class = "gthread"
workers = 2
threads = 4
preload_app = True
timeout = 60
graceful_timeout = 10
keepalive = 5
max_requests = 5000
max_requests_jitter = 500
limit_request_line = 4094
limit_request_fields = 60
control_socket_disable = True
proc_name = "veeamsec-web"
accesslog = "-"
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'


class QuietLogger(Logger):  # type: ignore[misc]
    """Gunicorn's logger without queries (by the format) and without tokens in paths."""

    def atoms(
        self, resp: Any, req: Any, environ: dict[str, Any], request_time: datetime.timedelta
    ) -> dict[str, Any]:
        """The values of one line."""
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        atoms["U"] = TOKEN_PATHS.sub("/start/…", atoms["U"] or "")
        return atoms


logger_class = QuietLogger
