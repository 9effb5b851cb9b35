"""The use cases: to have everything looked at, to read a report, to have one made and sent."""
