#!/usr/bin/env python
"""The command line of VeeamSec."""

import os
import sys

# Only these change the schema or make roles, or seal anew what both workers keep; they alone act as the
# database's owner.
OWNERS_COMMANDS = {"migrate", "setup", "makemigrations", "sqlmigrate", "showmigrations", "dbshell", "keys"}
WORKERS_COMMANDS = {"sweep"}


def main() -> None:
    """Run one management command in the process role that it needs."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    process = "owner" if command in OWNERS_COMMANDS else "worker" if command in WORKERS_COMMANDS else "web"
    os.environ.setdefault("VEEAMSEC_PROCESS", process)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "veeamsec.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
