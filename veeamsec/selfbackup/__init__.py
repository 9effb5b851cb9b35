"""The product's own backup: the database, the key folders and the signed checkpoints, sealed in a file.

The database is read by pg_dump in one snapshot and never touches the disk in clear; keys can go to a file of
their own, for another medium. docs/self-backup.md is the format, docs/operations.md the manual.
"""
