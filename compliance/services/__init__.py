"""The use cases: to read a report, to have one made, to have one sent again and again."""
