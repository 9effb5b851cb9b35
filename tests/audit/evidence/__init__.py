"""The worked example of docs/evidence-format.md."""
