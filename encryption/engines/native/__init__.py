"""The native engine: folders as restore points in files of our own format, keys in a keyring beside them.

`backup`, `restore`, `verify` and `retention` work on data; `keyring` and `rekey` on keys; `folder` owns
names, locks and durability. All of it follows docs/FORMAT.md to the byte, and knows no database.
"""
