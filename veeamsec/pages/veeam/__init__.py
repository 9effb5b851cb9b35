"""Pages about Veeam servers, and about which password opens what."""
