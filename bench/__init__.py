"""Measurements, each beside a peer on the same data in the same run; `make bench` prints one table."""
