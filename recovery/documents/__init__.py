"""What travels between a backup server and the Enterprise Manager, to the byte of docs/recovery-format.md.

Pure: each document is a value, its canonical bytes, and a reader that refuses every other spelling. Who
signed it is asked here; who may do what with it is not.
"""
