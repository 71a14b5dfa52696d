"""The Django app: it registers the checks and follows changed settings."""

from django.apps import AppConfig
from django.core.checks import register
from django.core.signals import setting_changed

from abmiddleware_django import conf
from abmiddleware_django.checks import check_settings
from abmiddleware_django.deploy_checks import check_deployment
from abmiddleware_django.design_checks import check_designs, check_lint


class ExperimentsConfig(AppConfig):
    """Add `abmiddleware_django` to INSTALLED_APPS; it has no models."""

    name = "abmiddleware_django"
    verbose_name = "Experiments"

    def ready(self) -> None:
        """Register the checks; drop the engine when tests override the setting."""
        register(check_settings)
        register(check_designs)
        register(check_deployment, deploy=True)
        register(check_lint, deploy=True)
        setting_changed.connect(conf.forget_engine, dispatch_uid="abmiddleware_django")
