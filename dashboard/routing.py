"""The addresses of the sockets."""

from django.urls import path

from dashboard.consumers import FeedConsumer

websocket_urls = [path("ws/feed", FeedConsumer.as_asgi())]
