"""Serves the shop with gunicorn."""

from example_apps.shop.serving import announce, parse_options, run_gunicorn

if __name__ == "__main__":
    options = parse_options("example_apps.shop_flask")
    announce("shop-flask", options)
    run_gunicorn("example_apps.shop_flask.app:create_app()", options)
