"""The use cases: jobs and runs, passwords and re-keys, and what was found changed."""
