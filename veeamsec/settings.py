"""Settings of every process; what differs between installations is in `environment`."""

from datetime import timedelta
from pathlib import Path

import django_stubs_ext
from csp.constants import NONE, SELF

from veeamsec import environment, oidc
from veeamsec.environment import env
from veeamsec.logs import LOGGING  # noqa: F401
from veeamsec.rest import (  # noqa: F401
    KNOX_TOKEN_MODEL,
    REST_FRAMEWORK,
    REST_KNOX,
    SPECTACULAR_SETTINGS,
    VEEAMSEC_CALLS_A_MINUTE,
)

# Lets `ModelAdmin[Job]` be written, as strict typing wants it.
django_stubs_ext.monkeypatch()

_environment = environment.read()
BASE_DIR = Path(__file__).resolve().parent.parent

# --- the house --------------------------------------------------------------------------------------------

VEEAMSEC_HOME = _environment.home.path
VEEAMSEC_PROCESS = _environment.process
VEEAMSEC_PRODUCTION = _environment.production
VEEAMSEC_ORIGIN = _environment.origin
VEEAMSEC_DEMO = (VEEAMSEC_HOME / "credentials.json").exists()
VEEAMSEC_SYSLOG = environment.syslog()
# Private networks that entries may be forwarded to: `10.20.0.0/16, fd00:20::/32`.
VEEAMSEC_FORWARD_TO = environment.forward_to()
VEEAMSEC_FIPS = env.bool("VEEAMSEC_FIPS", False)
# A Veeam server on this machine or beside it: to try the product, never in production.
VEEAMSEC_VEEAM_LOCAL = env.bool("VEEAMSEC_VEEAM_LOCAL", VEEAMSEC_DEMO) and not VEEAMSEC_PRODUCTION
VEEAMSEC_ROOTS = [
    VEEAMSEC_HOME / "repositories",
    VEEAMSEC_HOME / "restores",
    *(Path(root).expanduser().resolve() for root in env.str("VEEAMSEC_ROOTS", "").split(":") if root),
]
# A folder on another machine for the log's signed checkpoints, mounted here; none: an alarm says so in a day.
_outside = env.str("VEEAMSEC_CHECKPOINTS_OUTSIDE", "")
VEEAMSEC_CHECKPOINTS_OUTSIDE = Path(_outside).expanduser().resolve() if _outside else None
WORKER_KEYS = VEEAMSEC_HOME / "keys" / "worker"
# Private halves of keysets: the enterprise worker's own, and nobody else's.
ENTERPRISE_KEYS = VEEAMSEC_HOME / "keys" / "enterprise"
RECEIVER_KEYS = VEEAMSEC_HOME / "keys" / "receiver"
WEB_KEYS = VEEAMSEC_HOME / "keys" / "web"
PUBLIC_KEYS = VEEAMSEC_HOME / "keys" / "public"

DEBUG = False
SECRET_KEY = environment.secret_key(_environment)
ALLOWED_HOSTS = sorted({_environment.host, "localhost", "127.0.0.1", "[::1]"})
ROOT_URLCONF = "veeamsec.urls"
WSGI_APPLICATION = "veeamsec.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.admin",
    # Before Django's own, for its `changepassword` refuses.
    "accounts",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "guardian",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
    "csp",
    "django_htmx",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "audit",
    "encryption",
    "recovery",
    "approvals",
    "compliance",
    "veeamsec",
    "veeamsec.pages",
]

MIDDLEWARE = [
    "veeamsec.middleware.Proxied",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "veeamsec.middleware.Reference",
    "csp.middleware.CSPMiddleware",
    "veeamsec.middleware.Throttled",
    "veeamsec.middleware.Origin",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "veeamsec.middleware.SessionLimits",
    "veeamsec.middleware.NoStore",
    "allauth.account.middleware.AccountMiddleware",
    "veeamsec.middleware.Activity",
    "veeamsec.middleware.SignedIn",
    "veeamsec.middleware.Enrolled",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "veeamsec.middleware.Refusals",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- stores -----------------------------------------------------------------------------------------------

DATABASES = {"default": environment.database(_environment)}
# Our own token model replaces knox's, whose table would only stand in the way.
MIGRATION_MODULES = {"knox": None}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": environment.cache(_environment),
        "KEY_PREFIX": "veeamsec",
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = VEEAMSEC_HOME / "static"
STATICFILES_DIRS = [folder for folder in (BASE_DIR / "static",) if folder.is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

EMAIL_FILE_PATH = VEEAMSEC_HOME / "mail"
if env.str("EMAIL_URL", ""):
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
DEFAULT_FROM_EMAIL = env.str("VEEAMSEC_MAIL_FROM", f"VeeamSec <veeamsec@{_environment.host}>")

LANGUAGE_CODE = "en"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- who comes in -----------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    # Before the one that signs in: its no is final, and permission rows are not asked.
    "accounts.backends.RoleBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
    }.items()
]
# One alone: under FIPS nothing may be compared by Argon2id, and without it nothing is weaker.
PASSWORD_HASHERS = [
    f"django.contrib.auth.hashers.{'PBKDF2' if VEEAMSEC_FIPS else 'Argon2'}PasswordHasher",
]
GUARDIAN_MONKEY_PATCH_USER = False
ANONYMOUS_USER_NAME = None

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/account/login/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "VeeamSec"
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_ADAPTER = "accounts.adapter.MFAAdapter"
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "accounts.forms.AuthenticateForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
    "activate_totp": "accounts.forms.ActivateTOTPForm",
}
SOCIALACCOUNT_ADAPTER = "accounts.adapter.SocialAdapter"
SOCIALACCOUNT_PROVIDERS = oidc.providers()
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
VEEAMSEC_OIDC_GROUPS = oidc.proposals()

AXES_USERNAME_FORM_FIELD = "login"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "veeamsec.errors.locked_out"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# The longest of all; `accounts.services.sessions` ends idle ones before.
SESSION_COOKIE_AGE = 10 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _environment.secure
SESSION_COOKIE_NAME = "__Host-session" if _environment.secure else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _environment.secure else "csrftoken"
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [VEEAMSEC_ORIGIN]
CSRF_FAILURE_VIEW = "veeamsec.errors.csrf_refused"

# --- what browsers are told -------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = _environment.secure
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
SECURE_HSTS_SECONDS = 31_536_000 if _environment.secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _environment.secure
VEEAMSEC_BEHIND_PROXY = env.bool("VEEAMSEC_BEHIND_PROXY", False)
if VEEAMSEC_BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        # The QR code of an authenticator app is a data address made by the server.
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF, *oidc.form_targets()],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
# No page takes a file; Django's other handler would write anybody's to the disk, of any size.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
