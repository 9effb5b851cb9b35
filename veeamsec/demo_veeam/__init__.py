"""The worked example at a Veeam server: read, alarmed, governed, proved, reconciled."""
