"""Tags of templates; `abmiddleware_django` must be in INSTALLED_APPS."""
