"""What is FastAPI's own: parameters, schemas, WebSockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Body, Depends, FastAPI, Query, Request, WebSocket
from pydantic import BaseModel
from starlette.endpoints import WebSocketEndpoint
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

from abmiddleware import ConfigurationError, Engine, ExperimentClient, MemorySink
from abmiddleware_fastapi import (
    Experiments,
    ExperimentsMiddleware,
    Variation,
    experiment,
    get_experiments,
    variations,
)
from tests.web.views import BUTTON, COMPANY

VALUES = {"control", "one-click"}


class Cart(BaseModel):
    """What endpoints answer."""

    cart: int
    shown: str = ""


def coupon(code: str = "") -> str:
    return code


Code = Annotated[str, Depends(coupon)]


def labelled(shown: Annotated[str, Variation("checkout-button")]) -> str:
    return f"label {shown}"


@pytest.fixture
def app(engine: Engine) -> FastAPI:
    app = FastAPI()
    app.add_middleware(ExperimentsMiddleware, engine=engine)
    return app


def with_decorators(app: FastAPI) -> None:
    async def get_cart(
        cart: int, variation: str, q: Annotated[str, Query(max_length=3)] = ""
    ) -> Cart:
        """Show a cart."""
        return Cart(cart=cart, shown=variation)

    def put_cart(variation: str, cart: Annotated[Cart, Body()], request: Request) -> Cart:
        return Cart(cart=cart.cart, shown=variation)

    def put_at_once(cart: Cart, request: Request) -> Cart:
        return Cart(cart=cart.cart, shown="at once")

    def put_slowly(cart: Annotated[Cart, Body()], request: Request) -> Cart:
        return Cart(cart=cart.cart, shown="slowly")

    def search(code: Code, variation: str, connection: HTTPConnection) -> list[str]:
        return [code, variation, connection.url.path]

    app.get("/carts/{cart}")(experiment(BUTTON)(get_cart))
    app.put("/carts")(experiment("checkout-button")(put_cart))
    app.put("/orders")(variations(BUTTON, one_click=put_at_once)(put_slowly))
    app.get("/search")(experiment(BUTTON)(search))


def without(app: FastAPI) -> None:
    async def get_cart(cart: int, q: Annotated[str, Query(max_length=3)] = "") -> Cart:
        """Show a cart."""
        return Cart(cart=cart)

    def put_cart(cart: Annotated[Cart, Body()], request: Request) -> Cart:
        return cart

    def put_slowly(cart: Annotated[Cart, Body()], request: Request) -> Cart:
        return cart

    def search(code: Code, connection: HTTPConnection) -> list[str]:
        return []

    app.get("/carts/{cart}")(get_cart)
    app.put("/carts")(put_cart)
    app.put("/orders")(put_slowly)
    app.get("/search")(search)


def test_the_schema_is_that_of_an_app_without_us(app: FastAPI) -> None:
    """OpenAPI of decorated endpoints says nothing of variations or connections."""
    bare = FastAPI()
    with_decorators(app)
    without(bare)

    assert app.openapi() == bare.openapi()


def test_parameters_are_filled_as_ever(app: FastAPI, sink: MemorySink) -> None:
    """Decorated endpoints get what they declare, and what is wrong is refused as ever."""
    with_decorators(app)
    client = TestClient(app)
    shown = client.get("/carts/7").json()["shown"]

    assert shown in VALUES
    assert client.get("/carts/7?variation=hacked").json() == {"cart": 7, "shown": shown}
    assert client.put("/carts", json={"cart": 8}).json() == {"cart": 8, "shown": shown}
    assert client.put("/orders", json={"cart": 8}).json()["shown"] in ("at once", "slowly")
    assert client.get("/search?code=x").json() == ["x", shown, "/search"]
    assert len(sink.exposures) == 5
    assert client.get("/carts/x").status_code == client.get("/carts/7?q=long").status_code == 422
    assert len(sink.exposures) == 5


def test_endpoints_that_yield_are_decorated(app: FastAPI, sink: MemorySink) -> None:
    """A streamed answer is exposed once, and its schema is that of an app without us."""

    async def lines(variation: str) -> AsyncIterator[str]:
        yield variation
        yield variation

    def blocks(*, variation: str = "none") -> Iterator[str]:
        yield variation

    async def bare_lines() -> AsyncIterator[str]:
        yield ""

    def bare_blocks() -> Iterator[str]:
        yield ""

    bare_lines.__name__, bare_blocks.__name__ = "lines", "blocks"
    bare = FastAPI()
    bare.get("/lines")(bare_lines)
    bare.get("/blocks")(bare_blocks)
    app.get("/lines")(experiment(BUTTON)(lines))
    app.get("/blocks")(experiment(BUTTON)(blocks))
    client = TestClient(app)
    first, *others = client.get("/lines").text.split()

    assert first.strip('"') in VALUES
    assert others == client.get("/blocks").text.split() == [first]
    assert len(sink.exposures) == 2
    assert app.openapi() == bare.openapi()


def test_websockets_are_decorated(app: FastAPI, sink: MemorySink) -> None:
    """An endpoint of a WebSocket gets the variation, whatever its parameter is called."""

    async def talk(socket: WebSocket, variation: str) -> None:
        await socket.accept()
        await socket.send_text(variation)
        await socket.close()

    app.websocket("/talk")(experiment(BUTTON)(talk))
    with TestClient(app).websocket_connect("/talk") as socket:
        assert socket.receive_text() in VALUES
    assert len(sink.exposures) == 1


def test_a_websocket_of_starlette_is_decorated(app: FastAPI, sink: MemorySink) -> None:
    """Starlette passes the connection by its place, to functions and to methods."""

    async def talk(socket: WebSocket, variation: str) -> None:
        await socket.accept()
        await socket.send_text(variation)
        await socket.close()

    class Talk(WebSocketEndpoint):
        @experiment("checkout-button")
        async def on_connect(self, websocket: WebSocket, variation: str) -> None:
            await talk(websocket, variation)

    app.router.routes += [
        WebSocketRoute("/function", experiment(BUTTON)(talk)),
        WebSocketRoute("/class", Talk),
    ]
    for path in ("/function", "/class"):
        with TestClient(app).websocket_connect(path) as socket:
            assert socket.receive_text() in VALUES
    assert len(sink.exposures) == 2


class Callable:
    """An endpoint that is an object."""

    async def __call__(self, request: Request, variation: str) -> Response:
        return PlainTextResponse(variation)


def test_an_object_may_be_the_endpoint(app: FastAPI, sink: MemorySink) -> None:
    """An object that is awaited when it is called is decorated as a coroutine is."""
    app.add_route("/", experiment(BUTTON)(Callable()))

    assert TestClient(app).get("/").text in VALUES
    assert len(sink.exposures) == 1


def test_decorators_stack(app: FastAPI) -> None:
    """Two experiments and a dispatch stand on one endpoint."""

    async def fast(button: str, *, terms: str) -> list[str]:
        return [button, terms, "fast"]

    async def slow(button: str, terms: str) -> list[str]:
        return [button, terms, "slow"]

    chosen = variations("checkout-button", one_click=fast)(slow)
    inner = experiment(COMPANY, keyword="terms")(chosen)
    app.get("/")(experiment(BUTTON, keyword="button")(inner))
    for _ in range(5):
        button, terms, endpoint = TestClient(app).get("/").json()

        assert (button, terms) in (("control", "now"), ("one-click", "now"))
        assert endpoint == {"control": "slow", "one-click": "fast"}[button]
    assert "parameters" not in app.openapi()["paths"]["/"]["get"]


def test_a_dispatch_must_share_the_parameters() -> None:
    """An endpoint whose parameters FastAPI would not fill is refused."""

    def slow(cart: int, q: str = "") -> None: ...
    def fast(cart: int, q: str, user: str) -> None: ...
    def rest(cart: int, **_: Any) -> None: ...
    def less(cart: int) -> None: ...

    for other in (fast, less):
        with pytest.raises(ConfigurationError, match=r"one_click takes \(cart.*filled: \(cart, q"):
            variations(BUTTON, one_click=other)(slow)
    variations(BUTTON, one_click=rest)(slow)


def with_dependencies(app: FastAPI) -> None:
    async def get_cart(cart: int, shown: Annotated[str, Variation(BUTTON)]) -> Cart:
        return Cart(cart=cart, shown=shown)

    def put_cart(cart: Cart, shown: Annotated[str, Variation("checkout-button")]) -> Cart:
        return Cart(cart=cart.cart, shown=shown)

    def both(
        label: Annotated[str, Depends(labelled)],
        again: Annotated[str, Variation(BUTTON)],
        experiments: Experiments,
        plain: str = Variation("checkout-button"),
    ) -> list[str]:
        return [label, again, plain, experiments.run(BUTTON).value]

    app.get("/carts/{cart}")(get_cart)
    app.put("/carts")(put_cart)
    app.get("/both")(both)


def test_the_dependency_shows_the_variation(app: FastAPI, sink: MemorySink) -> None:
    """Endpoints and dependencies, sync and async, get one answer, and a request exposes once."""
    with_dependencies(app)
    client = TestClient(app)
    shown = client.get("/carts/7").json()["shown"]

    assert shown in VALUES
    assert client.get("/carts/7?shown=hacked").json() == {"cart": 7, "shown": shown}
    assert client.put("/carts", json={"cart": 8}).json() == {"cart": 8, "shown": shown}
    assert client.get("/both").json() == [f"label {shown}", shown, shown, shown]
    assert len(sink.exposures) == 4
    assert {TestClient(app).get("/carts/7").json()["shown"] for _ in range(30)} == VALUES


def test_the_dependency_leaves_no_trace_in_the_schema(app: FastAPI) -> None:
    """OpenAPI of endpoints with the dependency is that of the same without."""

    async def get_cart(cart: int) -> Cart:
        return Cart(cart=cart)

    def put_cart(cart: Cart) -> Cart:
        return cart

    def both() -> list[str]:
        return []

    bare = FastAPI()
    with_dependencies(app)
    bare.get("/carts/{cart}")(get_cart)
    bare.put("/carts")(put_cart)
    bare.get("/both")(both)

    assert app.openapi() == bare.openapi()


def test_a_test_may_override_one_variation(app: FastAPI, sink: MemorySink) -> None:
    """The dependency of an experiment is found by any spelling of it; nothing is exposed."""
    with_dependencies(app)
    app.dependency_overrides[Variation("checkout-button").dependency] = lambda: "forced"

    assert TestClient(app).get("/carts/7").json() == {"cart": 7, "shown": "forced"}
    assert sink.records == []
    assert Variation("terms").dependency != Variation(BUTTON).dependency


def test_a_test_may_override_all_variations(app: FastAPI, sink: MemorySink) -> None:
    """An override of the client reaches every variation."""
    forced = Engine([BUTTON], sink=MemorySink(), forced_variations={"checkout-button": 1})
    with_dependencies(app)
    app.dependency_overrides[get_experiments] = lambda: forced.client(id="u1")

    assert TestClient(app).get("/carts/7").json() == {"cart": 7, "shown": "one-click"}
    assert sink.records == []


def test_a_websocket_has_the_dependency(app: FastAPI, sink: MemorySink) -> None:
    """A WebSocket gets its variation with the handshake."""

    async def talk(socket: WebSocket, shown: Annotated[str, Variation("checkout-button")]) -> None:
        await socket.accept()
        await socket.send_text(shown)
        await socket.close()

    app.websocket("/talk")(talk)
    with TestClient(app).websocket_connect("/talk") as socket:
        assert socket.receive_text() in VALUES
    assert len(sink.exposures) == 1


def test_the_dependency_is_of_an_experiment() -> None:
    """What is neither an experiment nor its key is refused when the module is imported."""
    with pytest.raises(ConfigurationError, match="Variation: is given 5, must be given an exp"):
        Variation(5)  # type: ignore[arg-type]


def test_a_test_may_override_the_client(app: FastAPI) -> None:
    """An endpoint that has the dependency gets its variation from the override, too."""

    async def both(experiments: Experiments, variation: str) -> list[object]:
        return [variation, experiments.run(BUTTON).value]

    forced = Engine([BUTTON], sink=MemorySink(), forced_variations={"checkout-button": 1})

    def override() -> ExperimentClient:
        return forced.client(id="u1")

    app.get("/both")(experiment("checkout-button")(both))
    app.dependency_overrides[get_experiments] = override

    assert TestClient(app).get("/both").json() == ["one-click", "one-click"]


def test_without_the_middleware_the_error_tells_the_mend() -> None:
    """A decorated endpoint of an application without the middleware, or called bare, says so."""
    bare = FastAPI()

    def shown(variation: str) -> str:
        return variation

    bare.add_route("/", experiment(BUTTON)(lambda request, variation: variation))
    assert isinstance(bare.routes[-1], Route)
    with pytest.raises(RuntimeError, match="ExperimentsMiddleware must be added"):
        TestClient(bare).get("/")
    with pytest.raises(RuntimeError, match="called without a request"):
        experiment(BUTTON)(shown)()
