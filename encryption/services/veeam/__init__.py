"""The use cases of Veeam servers."""
