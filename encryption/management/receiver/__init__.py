"""The receiver of Veeam's events: sockets, frames and a bounded backlog; it knows no database and no key."""
