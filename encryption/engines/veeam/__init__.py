"""A Veeam Backup & Replication server, reached through its REST API; and the lines of its syslog.

`client` is the door: one connection with a pinned certificate, read tolerantly, written exactly. `blocks`
finds and changes what a job's model says of encryption, `inventory` names what is read, `syslog` reads an
event. None of it knows a database, and nothing here decides.
"""
