"""The pages as a Django app, for their template tags."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """The pages."""

    name = "veeamsec.pages"
    label = "pages"
