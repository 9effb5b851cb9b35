"""What the worker signs about a decided request, and how anybody verifies it without the database.

`votes`: whether one vote holds against the statement and the signed roster. `finding`: what the worker found
when it counted. `document`: the in-toto statement behind a badge. `bundle`: everything about one request, for
an auditor. Normative forms in docs/evidence-format.md. Pure.
"""
