"""Secrets, keys and seals.

Passwords become roots (`kdf`), roots become user keys, user keys wrap storage keys (`wrap`); secrets that
travel or rest are sealed (`seal`) under keys that a process loads from its own folder (`providers`). Every
primitive is `cryptography`'s; nothing here knows Django.
"""
