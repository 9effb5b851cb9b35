"""A sign-in hash that costs nothing; tests sign in a lot."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class CheapArgon2(Argon2PasswordHasher):
    """Argon2 with the least that the library takes."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
