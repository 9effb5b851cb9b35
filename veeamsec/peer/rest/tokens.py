"""Signing in and out, and what the server says of itself."""

import secrets
from urllib.parse import parse_qs

from veeamsec.peer.accounts import ADMINISTRATORS, ALL
from veeamsec.peer.answers import Answer, Refusal, unexpected
from veeamsec.peer.routes import Call, route


@route("POST", "/api/oauth2/token", anonymous=True)
def sign_in(call: Call) -> Answer:
    """A pair of tokens for a password or for a refresh token. Raises Refusal (400, 401)."""
    form = {name: values[0] for name, values in parse_qs(call.text, keep_blank_values=True).items()}
    # The specification writes it with a capital, clients in the field do not.
    grant = form.get("grant_type", "").casefold()
    if grant == "refresh_token":
        return Answer(200, call.at.tokens.renew(form.get("refresh_token", "")))
    if grant != "password":
        raise unexpected("The grant_type is not supported.")
    account = call.at.account(form.get("username", ""))
    given = form.get("password", "").encode()
    if account is None or not secrets.compare_digest(account.password.encode(), given):
        raise Refusal(401, "AccessDenied", "The user name or the password is not correct.")
    if account.mfa and not account.service:
        raise Refusal(401, "AccessDenied", "The account needs a second factor; use a service account.")
    return Answer(200, call.at.tokens.issue(account))


@route("POST", "/api/oauth2/logout", ALL)
def sign_out(call: Call) -> Answer:
    """Both tokens are void."""
    call.at.tokens.end(call.access)
    return Answer(200, {})


@route("GET", "/api/v1/serverTime", anonymous=True)
def server_time(call: Call) -> Answer:
    """What time it is there."""
    clock = call.at.clock
    return Answer(
        200,
        {
            "serverTime": clock.told(clock.now()),
            "timeZone": "W. Europe Standard Time",
            "ianaTimeZoneId": "Europe/Berlin",
        },
    )


@route("GET", "/api/v1/serverInfo", ADMINISTRATORS)
def server_info(call: Call) -> Answer:
    """Which server this is, and its build."""
    at = call.at
    return Answer(
        200,
        {
            "vbrId": at.id,
            "name": at.name,
            "buildVersion": at.build,
            "patches": [],
            "databaseVendor": "PostgreSql",
            "sqlServerEdition": "",
            "sqlServerVersion": "PostgreSQL 17.6",
            "databaseSchemaVersion": "13.0.0.1",
            "databaseContentVersion": "13.0.0.1",
            "veeamRegistration": {"isRegistered": False},
            "platform": "Windows",
        },
    )
