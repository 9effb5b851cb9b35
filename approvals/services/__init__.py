"""The use cases: asking, deciding, executing, telling people."""
