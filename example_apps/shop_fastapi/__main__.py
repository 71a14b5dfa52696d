"""Serves the shop with uvicorn."""

import uvicorn

from example_apps.shop.serving import HOST, announce, parse_options

if __name__ == "__main__":
    options = parse_options("example_apps.shop_fastapi")
    announce("shop-fastapi", options)
    uvicorn.run(
        "example_apps.shop_fastapi.app:app",
        host=HOST,
        port=options.port,
        workers=options.workers,
        log_level="warning",
    )
