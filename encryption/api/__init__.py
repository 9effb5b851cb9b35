"""The API of jobs, restore points, passwords (never their values) and re-keys."""
