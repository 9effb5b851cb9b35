"""A Veeam Backup & Replication server to try the product and to test with: no backup is ever made.

It answers the REST API of revisions 1.2-rev1 to 1.3-rev2 from memory, over HTTPS on this machine alone, keeps
what it is told, and sends its events by syslog. `serving.serve` starts one inside a program,
`python -m veeamsec.peer` starts one for a person. It knows nothing of the product and imports nothing of it.
"""

from veeamsec.peer.control import Control
from veeamsec.peer.serving import Peer, serve

__all__ = ["Control", "Peer", "serve"]
