"""Reports: what is asked of the record, put together as values, and written in each form.

`document` is the form between: sections of facts, tables and charts. A report is a function of who reads,
what is wanted and a moment, listed in `catalogue`; `formats`, `sheet` and `pdf` write it as HTML, JSON, CSV
and PDF/A.
"""
