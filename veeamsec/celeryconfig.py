"""How work is queued: JSON only, acknowledged when done, one at a time, nothing kept as a result."""

from datetime import timedelta

from django.conf import settings

from veeamsec import environment

_environment = environment.read()

HARD_LIMIT = timedelta(hours=12)

broker_url = environment.broker(_environment)
broker_connection_retry_on_startup = True
broker_transport_options = {
    # Above the hard limit, else a long task would be handed out again while it runs.
    "visibility_timeout": (HARD_LIMIT + timedelta(hours=1)).total_seconds(),
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # Who rings does not wait for a broker that is away: the sweep rings again.
    "max_retries": 0,
}
accept_content = ["json"]
task_serializer = "json"
result_backend = None
task_ignore_result = True
task_acks_late = True
task_reject_on_worker_lost = True
worker_prefetch_multiplier = 1
task_time_limit = int(HARD_LIMIT.total_seconds())
# Children are renewed, so that a secret's traces in freed memory do not live as long as the installation.
worker_max_tasks_per_child = 200
worker_hijack_root_logger = False
worker_send_task_events = False
timezone = settings.TIME_ZONE
enable_utc = True

task_default_queue = "data"
task_routes = {
    "approvals.*": {"queue": "execute"},
    "accounts.*": {"queue": "execute"},
    "encryption.rekey_ended": {"queue": "execute"},
    # Private halves of keysets are opened in a process of their own.
    "recovery.obey": {"queue": "enterprise"},
    "recovery.watch_keys": {"queue": "enterprise"},
    # Long backups must not keep it from saying that nothing is sent on.
    "audit.watch_forwarders": {"queue": "execute"},
    "recovery.*": {"queue": "data"},
    "encryption.*": {"queue": "data"},
    "audit.*": {"queue": "data"},
    "compliance.*": {"queue": "data"},
}
_observe_seconds = environment.env.int("VEEAMSEC_OBSERVE_SECONDS", 300)
beat_schedule = {
    name: {"task": name, "schedule": timedelta(seconds=seconds), "options": {"expires": seconds}}
    for name, seconds in {
        "audit.sweep": 5,
        "audit.checkpoint": 60,
        "audit.verify": 600,
        "audit.watch": 60,
        "audit.copy_checkpoints": 60,
        "audit.watch_forwarders": 30,
        "approvals.expire": 60,
        "approvals.remind": 60,
        "approvals.digest": 600,
        "accounts.settle_suspensions": 60,
        "compliance.analyze_when_due": 60,
        "encryption.schedule": 30,
        "encryption.watch_keys": 30,
        "recovery.watch_keys": 30,
        "encryption.watch": 300,
        "recovery.watch": 300,
        "encryption.erase_recovered": 600,
        "approvals.renew_keysets": 600,
        "compliance.reports": 600,
        "encryption.veeam_reconcile": min(30, _observe_seconds),
        "encryption.veeam_observe": _observe_seconds,
        "encryption.observe": _observe_seconds,
    }.items()
}
