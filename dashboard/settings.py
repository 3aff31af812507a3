"""Django's settings, read from the environment through `env.py`; README lists each variable."""

from pathlib import Path
from urllib.parse import urlsplit

from dashboard import env, logs

BASE_DIR = env.BASE_DIR
STATE_DIR = env.HOME

SECRET_KEY = env.secret_key()
DEBUG = env.flag("DELTAWATCH_DEBUG")

# Where people reach Deltawatch. With https:// every cookie and redirect insists on TLS.
PUBLIC_URL = env.text("DELTAWATCH_PUBLIC_URL", f"http://127.0.0.1:{env.number('PORT', 8000)}")
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or "127.0.0.1"
HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = [
    *dict.fromkeys([PUBLIC_HOST, "127.0.0.1", "localhost", *env.words("DELTAWATCH_ALLOWED_HOSTS")])
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "channels",
    "streams",
    "dashboard",
]

MIDDLEWARE = [
    "dashboard.request_id.RequestId",
    "dashboard.views.failed.FailingSince",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "dashboard.access.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dashboard.access.LoginRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "dashboard.urls"
ASGI_APPLICATION = "dashboard.asgi.application"

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
                "dashboard.shell.context",
            ],
        },
    },
]

DATABASES = {"default": env.database(env.service("DATABASE_URL", "database_url"))}
# A web process must not wait for ever on a database that does not answer.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": "5",
    "application_name": "deltawatch",
    **DATABASES["default"]["OPTIONS"],  # type: ignore[dict-item]
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Tells installations that share a Redis or a stream apart: in Redis' keys and in AWS' logs.
CONSUMER = env.consumer("DELTAWATCH_CONSUMER", "deltawatch")

REDIS_URL = env.service("REDIS_URL", "redis_url") or "redis://127.0.0.1:6379/0"
CHANNEL_LAYERS = {
    "default": {
        # The list-based layer fails past about 100 consumers with redis-py 8; and layers drop
        # silently when full, so only wake-ups travel here, never changes.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": CONSUMER},
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.HOME / "static"
# WhiteNoise looks here when it starts; before the first collectstatic the folder is empty.
Path(STATIC_ROOT).mkdir(parents=True, exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "dashboard.staticfiles.HashedModules"
    },
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME = "deltawatch_session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # health probes come from inside, without TLS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
elif PUBLIC_HOST in ("127.0.0.1", "localhost", "::1"):
    # Plain http that never leaves this machine needs no TLS. Any other http address keeps
    # Django's warnings: `manage.py check --deploy` then asks for an https:// public URL.
    SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W012", "security.W016"]

# Shown in the top bar of every page, so that nobody takes one installation for another.
ENVIRONMENT = env.label("DELTAWATCH_ENVIRONMENT")

# The engine ------------------------------------------------------------------------------

# How many poll tasks run at once; each takes one worker process.
POLLERS = env.number("DELTAWATCH_POLLERS", 2)
# How many days a newly added stream keeps its changes; None for ever.
KEEP_DAYS = env.number("DELTAWATCH_KEEP_DAYS", 0, least=2) or None

# Where mails go out, and whom they are from.
_MAIL = env.mail_server("DELTAWATCH_EMAIL_URL")
EMAIL_HOST, EMAIL_PORT = _MAIL.host, _MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.starttls, _MAIL.tls
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.mail_sender("DELTAWATCH_EMAIL_FROM", PUBLIC_HOST)

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = env.number("DELTAWATCH_WORKER_PROCESSES", 4, least=2)
CELERY_TASK_DEFAULT_QUEUE = "work"
CELERY_TASK_ROUTES = {"streams.poll": {"queue": "poll"}}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# A publish must fail fast when the broker is away: the row or the timer is the safety net.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 2,
    "socket_timeout": 30,
    "global_keyprefix": f"{CONSUMER}:",
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = "UTC"

LOGGING_CONFIG = None
logs.configure(env.text("DELTAWATCH_LOG_LEVEL", "INFO"))
