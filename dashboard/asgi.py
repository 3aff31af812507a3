"""The ASGI application: `uvicorn dashboard.asgi:application --lifespan on`. With it off there is no
watchman."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
# Fills the app registry, which everything below needs.
pages = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from dashboard.routing import websocket_urls  # noqa: E402
from dashboard.watchman import lifespan  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": pages,
        # A page of another origin must not be able to open a socket with the user's cookie.
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urls))),
        "lifespan": lifespan,
    }
)
