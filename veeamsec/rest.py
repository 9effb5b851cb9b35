"""Settings of the REST API: who is let in, how bodies are read, how often one calls, how it is described."""

from datetime import timedelta

KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105
REST_KNOX = {
    "TOKEN_MODEL": KNOX_TOKEN_MODEL,
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_TTL": timedelta(days=365),
    "AUTO_REFRESH": False,
}
REST_FRAMEWORK = {
    # Bearer first: the first one names the challenge of a 401.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["veeamsec.parsing.Body"],
    "DEFAULT_THROTTLE_CLASSES": ["veeamsec.throttling.PerAccount", "veeamsec.throttling.Decisions"],
    "DEFAULT_PAGINATION_CLASS": "veeamsec.paging.Pages",
    "DEFAULT_FILTER_BACKENDS": ["veeamsec.filtering.Filters"],
    "DEFAULT_SCHEMA_CLASS": "veeamsec.spectacular.Schema",
    # OPTIONS would describe forms to whoever may only read.
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "veeamsec.errors.answer_api",
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# Of one address, of one account, and of one account's decisions with their step-ups.
VEEAMSEC_CALLS_A_MINUTE = {"address": 3000, "account": 1200, "decisions": 60}
SPECTACULAR_SETTINGS = {
    "TITLE": "VeeamSec",
    "DESCRIPTION": "A second pair of eyes before every encryption password.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Nothing is fetched from elsewhere to judge the description.
    "SWAGGER_UI_SETTINGS": {"validatorUrl": None, "deepLinking": True, "persistAuthorization": False},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "veeamsec.spectacular.finish",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RequestKind": "approvals.models.Kind",
        "SessionKind": "encryption.models.JobSession.Kind",
        "RestorePointKind": "encryption.models.RestorePoint.Kind",
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}
