"""Pages of the Enterprise Manager: keysets, backup servers, and recovery cases on both sides."""
