"""The three database roles and the database itself, made by somebody who may; before Django is there."""

from typing import Any

import psycopg
from psycopg import sql

from veeamsec.home import ROLES, Home, password_of


def make_roles(admin: dict[str, Any], home: Home) -> None:
    """Create the roles owner, web and worker, or give them the passwords that this home's files hold.

    `admin` are connection arguments of a user that may create roles.
    """
    with psycopg.connect(**admin, autocommit=True) as connection:
        for role in ROLES:
            name = f"veeamsec_{role}"
            found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
            statement = "ALTER ROLE {} LOGIN PASSWORD {}" if found else "CREATE ROLE {} LOGIN PASSWORD {}"
            hashed = connection.pgconn.encrypt_password(
                password_of(home.passfile(role), name).encode(), name.encode(), b"scram-sha-256"
            )
            # Already hashed: a server's log that keeps statements does not keep the password.
            connection.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Literal(hashed.decode())))


def make_database(admin: dict[str, Any], name: str) -> None:
    """Create the database, owned by the owner role and open to our roles alone, unless it is there."""
    with psycopg.connect(**admin, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        owner, database = sql.Identifier("veeamsec_owner"), sql.Identifier(name)
        user = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        if user is not None and not user[0]:
            # Who is no superuser can give a database only to a role they belong to.
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(database, owner)
        )
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        for role in ROLES:
            grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
            connection.execute(grant.format(database, sql.Identifier(f"veeamsec_{role}")))
