"""The Flask extension."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from blinker import Namespace
from flask import current_app, has_app_context, redirect, request
from werkzeug.local import LocalProxy

from abmiddleware import ConfigurationError, Engine
from abmiddleware.client import ExperimentClient
from abmiddleware.exposures.records import Exposure
from abmiddleware.facts import PURPOSES, RequestFacts
from abmiddleware.web import finish
from abmiddleware_flask.commands import commands
from abmiddleware_flask.templates import add_template_globals

if TYPE_CHECKING:
    from flask import Flask, Request, Response
    from werkzeug.wrappers import Response as WSGIResponse

#: Where the engine stands in `app.extensions`.
EXTENSION: Final = "abmiddleware"

#: A signal of Blinker with `exposure`, a record, and `request`; sent at the line of a view that
#: asks, once a request and experiment, by the application. What a receiver raises is logged.
experiment_exposed: Final = Namespace().signal("experiment-exposed")

_CLIENT: Final = "_abmiddleware_client"
_FINISHED: Final = "_abmiddleware_finished"


class FlaskFacts(RequestFacts):
    """What the core may ask of a Flask request."""

    __slots__ = ("request",)

    #: The request, as attribute functions get it.
    request: Request

    def __init__(self, flask_request: Request) -> None:
        self.request = flask_request

    def cookie_header(self) -> str:
        """Return the `Cookie` header."""
        header: str = self.request.environ.get("HTTP_COOKIE", "")
        return header

    def header(self, name: str) -> str:
        """Return a header by its name in lower case, or ""."""
        header: str = self.request.environ.get(_environ_key(name), "")
        return header

    def tells_purpose(self) -> bool:
        """Tell whether one of `PURPOSES` is there."""
        return not self.request.environ.keys().isdisjoint(_PURPOSES)

    def is_secure(self) -> bool:
        """Tell whether the request came over https, as Werkzeug sees it."""
        return self.request.is_secure

    def method(self) -> str:
        """Return the HTTP method."""
        return self.request.method

    def path(self) -> str:
        """Return the path of the URL."""
        return self.request.path

    def query(self) -> str:
        """Return the query of the URL."""
        return cast(str, self.request.environ.get("QUERY_STRING", ""))

    def url(self) -> str:
        """Return the URL of the page, as Werkzeug sees it."""
        return self.request.url

    def knows_users(self) -> bool:
        """Tell whether the application has Flask-Login."""
        return hasattr(current_app, "login_manager")

    def user_id(self) -> object:
        """Return the id of who is logged in, as Flask-Login has it."""
        if not self.knows_users():
            return None
        from flask_login import current_user

        return current_user.get_id() if current_user.is_authenticated else None


@lru_cache(maxsize=256)
def _environ_key(name: str) -> str:
    """Return what WSGI calls a header."""
    return f"HTTP_{name.replace('-', '_').upper()}"


_PURPOSES: Final = frozenset(map(_environ_key, PURPOSES))


class Experiments:
    """Offers `request.experiments` in every view, and finishes the response.

        Experiments(app, engine=Engine([CHECKOUT]))

    or, with an application factory, `experiments = Experiments(engine=...)` and later
    `experiments.init_app(app)`.

    Args:
        app: the application, if it is there already.
        engine: the engine of this process.
    """

    def __init__(self, app: Flask | None = None, *, engine: Engine | None = None) -> None:
        self.engine = engine
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask, *, engine: Engine | None = None) -> None:
        """Set up an application.

        Raises:
            ConfigurationError: there is no engine, or the application is set up already.
        """
        engine = engine or self.engine
        if engine is None:
            raise ConfigurationError("engine: is missing, must be given to Experiments or init_app")
        if not isinstance(engine, Engine):
            raise ConfigurationError(
                f"engine: is {engine!r}, must be an Engine, such as Engine([...])"
            )
        if EXTENSION in app.extensions:
            raise ConfigurationError(
                "init_app was called for this application before, must be once"
            )
        app.extensions[EXTENSION] = engine
        app.request_class = _with_experiments(app.request_class, engine)
        add_template_globals(app, engine, current_experiments)
        # The first to be registered runs last, so that what other hooks ask is seen, too.
        app.after_request_funcs.setdefault(None, []).insert(0, _finish)
        if engine.overrides is not None:  # one that no view asks about must be kept, too
            app.before_request_funcs.setdefault(None, []).insert(0, _made)
        app.teardown_request(_write_rest)
        engine.on_exposure(_send)
        app.cli.add_command(commands)
        if engine.redirects:
            app.before_request_funcs.setdefault(None, []).insert(0, _redirected)


def _with_experiments(request_class: type[Request], engine: Engine) -> type[Request]:
    """Return a request class with the property `experiments`, which makes the client when read."""
    asked: list[object] = []

    def experiments_of(self: Request) -> ExperimentClient:
        client = self.__dict__.get(_CLIENT)
        if client is None:
            if not asked:  # which takes as long as an experiment
                engine.in_debug(current_app.debug or current_app.testing)
                asked.append(True)
            made = engine.request_client(FlaskFacts(self))
            if _FINISHED in self.__dict__:
                made.response_starts()
            client = self.__dict__.setdefault(_CLIENT, made)
        return cast(ExperimentClient, client)

    return type(request_class.__name__, (request_class,), {"experiments": property(experiments_of)})


def _state() -> dict[str, Any]:
    """Return where the request keeps its client, if a view asked for it."""
    # Reading an attribute through the proxy takes four times as long.
    return cast("dict[str, Any]", cast(Any, request)._get_current_object().__dict__)


def _redirected() -> WSGIResponse | None:
    """Answer with the redirect of an experiment, if one has this visitor in it."""
    target = experiments.redirect()
    return None if target is None else redirect(target, 302)


def _made() -> None:
    """Make the client of a request."""
    _ = current_experiments().suppressed


def _finish(response: Response) -> Response:
    state = _state()
    state[_FINISHED] = True
    client: ExperimentClient | None = state.get(_CLIENT)
    if client is not None and client.response_starts():
        headers = response.headers
        vary, cache_control = [], []
        for name, value in headers:  # once, since each look-up goes through all of them
            match name.lower():
                case "vary":
                    vary.append(value)
                case "cache-control":
                    cache_control.append(value)
        told = finish(client, ", ".join(vary), ", ".join(cache_control))
        if told.vary:
            headers["Vary"] = told.vary
        if told.cache_control:
            headers["Cache-Control"] = told.cache_control
        for cookie in told.cookies:
            response.set_cookie(**cast("dict[str, Any]", cookie.options()))
    return response


def _send(exposure: Exposure, flask_request: Any) -> None:
    if experiment_exposed.receivers:
        app = current_app._get_current_object() if has_app_context() else None  # type: ignore[attr-defined]
        experiment_exposed.send(app, exposure=exposure, request=flask_request)


def is_for_everybody(_: object = None) -> bool:
    """Tell whether the response of a view may be kept for others: it has asked nothing.

    For Flask-Caching, which sits between a view and its response's headers:

        @cache.cached(timeout=60, response_filter=is_for_everybody)
    """
    client: ExperimentClient | None = _state().get(_CLIENT)
    return client is None or not client.depends_on_visitor


def _write_rest(_: BaseException | None) -> None:
    """Write what waits when an exception kept the response from being finished."""
    client: ExperimentClient | None = _state().get(_CLIENT)
    if client is not None:
        client.response_starts()


def current_experiments() -> ExperimentClient:
    """Return the client of the current request.

    Raises:
        RuntimeError: the extension is not set up, or there is no request.
    """
    client = getattr(cast(Any, request)._get_current_object(), "experiments", None)
    if not isinstance(client, ExperimentClient):
        raise RuntimeError(  # noqa: TRY004  # the set-up is wrong, not a type
            "This application has no experiments: Experiments(app, engine=engine) must be called "
            "when it is made, after its request_class is replaced, if it is."
        )
    return client


#: The client of the current request: `request.experiments`, with its type.
experiments: ExperimentClient = cast(ExperimentClient, LocalProxy(current_experiments))
