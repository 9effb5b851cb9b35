"""Bodies that the API's description shows, by operation and by what is done with them."""

from typing import Any

JOB = "7d6f3c1e-52a5-4d0e-9d2a-1c8f6f0b7a11"
REPOSITORY = "0b8a4e7c-9a3d-4f61-8d55-2e9b7c1d4f20"
PASSWORD = "c2f1d9b4-6e0a-4b7d-a1c3-5f8e9d7b6a42"  # noqa: S105 - an id
USER = "5a1f0c3e-8d27-4b96-b0e4-7c2d9a6f1e35"
MEMBER = "e8b4d2f6-1c3a-4e59-9f70-3d6b8a5c2e14"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

_CUSTODY = {
    "medium": "paper, sealed envelope",
    "place": "bank deposit box 114",
    "offsite": True,
    "offline": True,
    "custodian": "Dora Marchetti",
}
_ASKING = {
    "reason": "Personal data of employees must be encrypted.",
    "hint": "The one in the green envelope",
    "custody": [_CUSTODY],
    "answers": [],
    "start": "next_run",
}
_STEP_UP = {"nonce": "q0V1c2Vk", "step_up": {"totp": "492039"}}
_DECISION = {"digest": DIGEST, "comment": "", **_STEP_UP}

EXAMPLES: dict[str, dict[str, Any]] = {
    "jobs_create": {
        "daily": {
            "name": "Personnel files",
            "repository": REPOSITORY,
            "source": "/srv/personnel",
            "exclude": ["*.tmp"],
            "schedule_minutes": 1440,
            "retention_points": 14,
            "data_category": "employees",
        }
    },
    "jobs_partial_update": {"keep more": {"retention_points": 30, "retention_days": 90}},
    "jobs_run_create": {"as planned": {}, "a full": {"full": True}},
    "repositories_create": {
        "vault": {"name": "Vault", "location": "/srv/backup/vault", "media": "disk", "offsite": True}
    },
    "repositories_partial_update": {"moved away": {"offsite": True}},
    "restore_points_restore_create": {
        "everything": {"to": "/srv/restores/personnel"},
        "two files": {"to": "/srv/restores/two", "paths": ["contracts/0042.pdf", "contracts/0043.pdf"]},
    },
    "reports_files_create": {"a quarter": {"since": "2026-07-01", "until": "2026-09-30"}},
    "report_schedules_create": {
        "a month": {"report": "governance", "every": "month", "recipients": [USER]},
    },
    "keysets_create": {"as Veeam's": {"suite": "rsa-4096", "description": "Winter 2026"}},
    "keysets_automatic_update": {"monthly": {"automatic": True, "suite": "rsa-4096", "weeks": 4}},
    "backup_servers_revoke_create": {"stolen": {"reason": "Stolen from the branch on 24 November."}},
    "backup_servers_create": {"registration": {"text": "-----BEGIN VEEAMSEC SERVER-----\n…"}},
    "recovery_cases_create": {
        "lost": {"jobs": [JOB], "reason": "Nobody knows the password any more.", "number": "INC-4711"},
        "received": {"text": "-----BEGIN VEEAMSEC RECOVERY REQUEST-----\n…", "number": "CASE-12"},
    },
    "recovery_cases_response_create": {"carried": {"text": "-----BEGIN VEEAMSEC RECOVERY RESPONSE-----\n…"}},
    "custody_prove_create": {"from the copy": {"password": "seven quiet herons cross the river"}},
    "requests_prove_create": {"from the copy": {"password": "seven quiet herons cross the river"}},
    "passwords_adoptions_create": {"what is in force": {"password": "seven quiet herons cross the river"}},
    "veeam_servers_create": {
        "connect": {
            "name": "Munich",
            "address": "vbr01.corp.example",
            "thumbprint": DIGEST,
            "account": "svc-veeamsec",
            "password": "of that account",
        }
    },
    "requests_create": {
        "activate": {
            "kind": "activate_encryption",
            "jobs": [JOB],
            "new_password": "seven quiet herons cross the river",
            **_ASKING,
        },
        "change": {
            "kind": "change_password",
            "encryption_password": PASSWORD,
            "new_password": "nine loud herons sleep on the roof",
            "scope": "keys",
            **_ASKING,
        },
        "generated, for one custodian": {
            "kind": "change_password",
            "encryption_password": PASSWORD,
            "generate": True,
            "custodian": USER,
            **_ASKING,
        },
        "deactivate": {
            "kind": "deactivate_encryption",
            "jobs": [JOB],
            "then": "keep",
            "reason": "The data is public from May on.",
        },
        "replace a member": {
            "kind": "replace_security_member",
            "member": MEMBER,
            "user": USER,
            "title": "dpo",
            "reason": "Dora Marchetti leaves the house in May.",
        },
        "grant": {
            "kind": "grant_administrator",
            "user": USER,
            "role": "backup",
            "reason": "A second pair of hands for the summer.",
        },
        "stricter rules": {
            "kind": "change_policy",
            "scope": None,
            "policy": {"quorum": 2, "pools": [{"title": "dpo", "count": 1}]},
            "reason": "The audit asks for it.",
        },
    },
    "security_role_members_challenge_create": {
        "suspend": {"act": "suspend", "reason": "Their laptop was stolen."}
    },
    "security_role_members_suspend_create": {"at once": {"reason": "Their laptop was stolen.", **_STEP_UP}},
    "security_role_members_confirm_create": {"as a third member": _STEP_UP},
    "security_role_members_lift_create": {"as one of two": _STEP_UP},
    "security_role_members_alarm_create": {"doubt": {"reason": "They asked me for my code."}},
    "alarms_acknowledge_create": {"with a note": {"note": "The share was away; I look into it."}},
    "tokens_create": {"a script": {"name": "nightly report", "days": 90, "scopes": ["api"]}},
    "requests_challenge_create": {"yes": {"verdict": "approve", "digest": DIGEST, "comment": ""}},
    "requests_approve_create": {"with an authenticator app": _DECISION},
    "requests_reject_create": {"with an authenticator app": {**_DECISION, "comment": "Which envelope?"}},
    "requests_withdraw_create": {"this text": {"digest": DIGEST}},
}
