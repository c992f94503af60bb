"""The portal's settings. What differs between installations comes from `pim_portal.environment`."""

import os
from datetime import timedelta

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from pim_portal import environment

ENVIRONMENT = environment.read(os.environ)
BASE_DIR = environment.BASE_DIR

# This installation

PIM_DEMO = ENVIRONMENT.demo
PIM_BASE_URL = ENVIRONMENT.base_url
PIM_DATA_DIR = ENVIRONMENT.data_dir
PIM_TRUSTED_PROXIES = ENVIRONMENT.trusted_proxies
PIM_EMAIL_CONFIGURED = bool(ENVIRONMENT.email)
PIM_MAILS_LEAVE = PIM_EMAIL_CONFIGURED or PIM_DEMO  # a demo has its mailbox
# Only what a viewer starts with; times are kept in UTC.
PIM_DEFAULT_TIME_ZONE = ENVIRONMENT.time_zone
PIM_IDLE_MINUTES = ENVIRONMENT.idle_minutes
PIM_SESSION_HOURS = ENVIRONMENT.session_hours
PIM_AUDIT_KEY = ENVIRONMENT.audit_key
PIM_AUDIT_ARCHIVES = ENVIRONMENT.audit_archives
PIM_AUDIT_ANCHORS = ENVIRONMENT.audit_anchors
PIM_AUDIT_STDOUT = ENVIRONMENT.audit_stdout
PIM_WEB_HOOKS_ALLOW_PRIVATE = ENVIRONMENT.web_hooks_allow_private
PIM_TICKET_VERIFIER = ENVIRONMENT.ticket_verifier
PIM_TICKET_URL = ENVIRONMENT.ticket_url
PIM_TICKET_SECRET = ENVIRONMENT.ticket_secret
PIM_TICKET_ALLOW_PRIVATE = ENVIRONMENT.ticket_allow_private
PIM_METRICS_TOKEN = ENVIRONMENT.metrics_token
PIM_SECURITY_CONTACT = ENVIRONMENT.security_contact
PIM_LICENCES_OWNED = ENVIRONMENT.licences_owned

DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key
SECRET_KEY_FALLBACKS = ENVIRONMENT.secret_key_fallbacks
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts

# The house

INSTALLED_APPS = [
    "pim_portal.apps.PimPortalConfig",
    "reviews",
    "approvals",
    "roles",
    "audit",
    "pim_portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",  # its templates, some of them replaced
    "django_otp",
    "django_q",
    "django_tables2",
    "django_filters",
    "django_htmx",
    "treebeard",
    "axes",
    "csp",
]

MIDDLEWARE = [
    # First, so that everything after it reads the client's address in one place.
    "pim_portal.proxies.TrustedProxiesMiddleware",
    "pim_portal.monitors.MonitorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pim_portal.headers.SecurityHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    # Before everything that redirects: a panel's script must not follow a redirect, and use up its message.
    "pim_portal.panels.PanelMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "pim_portal.accounts.middleware.SessionLimitsMiddleware",
    "roles.middleware.AuthorityMiddleware",
    "roles.guards.SignedInMiddleware",
    "pim_portal.menu_counts.LastActMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pim_portal.busy.BusyMiddleware",
    "pim_portal.not_allowed.NotAllowedMiddleware",
    # Last, as it turns a throttled sign-in into its answer.
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "pim_portal.urls"
WSGI_APPLICATION = "pim_portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                # Django admin demands it; our own templates ask the view.
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pim_portal.shell.shell",
            ],
            "builtins": [
                "pim_portal.templatetags.portal",
                "roles.templatetags.assignments",
                "roles.templatetags.places",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # templates/django/forms
DJANGO_TABLES2_TEMPLATE = "tables/table.html"

# Data. No ATOMIC_REQUESTS: a service opens its own short transaction.

DATABASES = {"default": ENVIRONMENT.database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

Q_CLUSTER = {
    "name": "pim",
    "orm": "default",
    "workers": 2,
    # A task that waits in memory has its clock running: nothing is fetched ahead, and the retry is far longer than
    # the timeout, so that no task is run twice for having waited.
    "queue_limit": 1,
    "bulk": 1,
    "timeout": 60,
    "retry": 300,
    "max_attempts": 5,
    "ack_failures": False,
    "poll": 1,
    "guard_cycle": 1,
    "catch_up": False,
    # The monitor reads every kept result each time.
    "save_limit": 200,
    "recycle": 200,
}

# Sign-in

AUTH_USER_MODEL = "roles.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "pim_portal.accounts.backends.PasswordBackend",
    "roles.backend.HeldRolesBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/account/sign-in/"
LOGIN_REDIRECT_URL = "/"
PASSWORD_RESET_TIMEOUT = 900

# Ten failures for one account from one address. The account alone would let a stranger lock people out.
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_FAILURE_LIMIT = 10
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = timedelta(minutes=30)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_HTTP_RESPONSE_CODE = 429
AXES_LOCKOUT_CALLABLE = "pim_portal.accounts.views.sign_in.locked_out"
AXES_ENABLE_ADMIN = False
# What axes keeps of a failed form; the name of every field that holds a secret stands here.
AXES_SENSITIVE_PARAMETERS = ["username", "password", "new_password", "repeated", "code", "app_code", "key"]
# The audit history keeps sign-ins.
AXES_DISABLE_ACCESS_LOG = True

OTP_ADMIN_HIDE_SENSITIVE_DATA = True

SESSION_ENGINE = "pim_portal.accounts.sessions"
SESSION_COOKIE_AGE = PIM_SESSION_HOURS * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Cookies and headers. Browsers take a __Host- cookie only over https.

SESSION_COOKIE_NAME = "__Host-pim" if ENVIRONMENT.https else "pim"
SESSION_COOKIE_SECURE = ENVIRONMENT.https
SESSION_COOKIE_HTTPONLY = True
# Strict would lose the session on the way from a mailed link; no GET changes anything.
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if ENVIRONMENT.https else "pim-csrf"
CSRF_COOKIE_SECURE = ENVIRONMENT.https
CSRF_COOKIE_HTTPONLY = True
# Strict would make a new token on the way from a mailed link and refuse the forms that are open in other tabs.
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PIM_BASE_URL]

SECURE_SSL_REDIRECT = ENVIRONMENT.https
# Whoever watches the process asks it on its own port, where there is no TLS.
PIM_MONITORED = ("/healthz", "/healthz/worker", "/readyz", "/metrics")
SECURE_REDIRECT_EXEMPT = [f"^{path[1:]}$" for path in PIM_MONITORED]
SECURE_HSTS_SECONDS = 63_072_000 if ENVIRONMENT.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = ENVIRONMENT.https
SECURE_HSTS_PRELOAD = ENVIRONMENT.https
# A client can write this header too: it counts only where a trusted proxy replaces it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PIM_TRUSTED_PROXIES else None
SECURE_CONTENT_TYPE_NOSNIFF = True
# Not no-referrer: browsers then send "Origin: null" with our own forms.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# There is no inline script or style anywhere, so no nonce is needed.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "upgrade-insecure-requests": ENVIRONMENT.https,
    },
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 262_144
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 1
# One page takes a file; on every other, and from a stranger, it is refused unread.
FILE_UPLOAD_HANDLERS = ["pim_portal.imports.receiving.BoundedFile"]

# Static files: hashed names in production, straight from the source in a demo or while developing.

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = PIM_DATA_DIR / "static" if ENVIRONMENT.production else None
WHITENOISE_USE_FINDERS = not ENVIRONMENT.production
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other site has a use for them
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if ENVIRONMENT.production
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
# While there is one language, looking for the translation of each sentence would be a tenth of every page's time.
USE_I18N = len(LANGUAGES) > 1
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# Mail

# The demo's people are invented: their mails go into its mailbox page, and never off this machine.
EMAIL_BACKEND = "pim_portal.demo.mail.DemoMailBackend" if PIM_DEMO else "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = ENVIRONMENT.email.get("host", "")
EMAIL_PORT = ENVIRONMENT.email.get("port", 25)
EMAIL_HOST_USER = ENVIRONMENT.email.get("user", "")
EMAIL_HOST_PASSWORD = ENVIRONMENT.email.get("password", "")
EMAIL_USE_TLS = ENVIRONMENT.email.get("use_tls", False)
EMAIL_USE_SSL = ENVIRONMENT.email.get("use_ssl", False)
EMAIL_TIMEOUT = 10
EMAIL_SUBJECT_PREFIX = ""
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.email_from

# Chat

PIM_CHAT_URLS = ENVIRONMENT.chat_urls
PIM_CHAT_REASONS = ENVIRONMENT.chat_reasons

# Logs: one line an entry on stderr, for whatever collects them.

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "pim_portal.logs.Formatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Django and django-q2 would write to handlers of their own.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # Each task and each beat of the worker: an operator reads failures, the health page the rest.
        "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "axes": {"handlers": [], "level": "WARNING", "propagate": True},
    },
}
