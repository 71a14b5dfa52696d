"""abmiddleware for Flask.

Experiments(app, engine=Engine([CHECKOUT]))

@app.get("/checkout")
def checkout():
    if request.experiments.run("checkout-button").value == "one-click": ...
"""

from abmiddleware_flask.decorators import experiment, variations
from abmiddleware_flask.extension import (
    Experiments,
    experiment_exposed,
    experiments,
    is_for_everybody,
)
from abmiddleware_flask.views import health

__all__ = [
    "Experiments",
    "experiment",
    "experiment_exposed",
    "experiments",
    "health",
    "is_for_everybody",
    "variations",
]
