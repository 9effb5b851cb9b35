"""The Enterprise Manager: keysets, recovery of lost passwords, and who holds a password."""
