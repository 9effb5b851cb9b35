"""The app of the house itself."""

from django.apps import AppConfig
from django.contrib import admin
from django.utils.module_loading import autodiscover_modules


class VeeamsecConfig(AppConfig):
    """Binds the apps together once all are ready."""

    name = "veeamsec"

    def ready(self) -> None:
        """Name the Celery app, import every task, register the checks, secure the admin's door."""
        from allauth.account.decorators import secure_admin_login

        from veeamsec import checks  # noqa: F401
        from veeamsec.celery import app

        app.set_default()
        # `celery.signature(name)` runs a task in this process only if its module was imported.
        autodiscover_modules("tasks")
        # Before admin.site.urls is read: afterwards it silently does nothing.
        admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
