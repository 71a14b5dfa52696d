"""Where the agent delivers to, by one address on its command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from abmiddleware.agent.sessions import end_others, named
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.extras import required

_FORMS: Final = (
    "postgresql://user:password@host/database, duckdb:////path, parquet:/directory, "
    "parquet:s3://bucket/path or dlt:name, as in dlt:bigquery"
)
_DLT_NAME: Final = re.compile(r"[a-z][a-z0-9_.]*")
#: Where files of a directory grow; readers of it pass over hidden ones.
_INCOMING: Final = ".incoming"
_LAYOUT: Final = "{table_name}/dt={day}/{batch}.{ext}"


class Destination(NamedTuple):
    """Where to, in the words of dlt."""

    #: dlt's name of it.
    kind: str
    #: dlt's address or credentials; "" where dlt's own configuration has them.
    address: str
    #: What people may read: without a password.
    shown: str
    #: Whether each UTC day is delivered apart, as files in a folder of its own.
    by_day: bool = False
    #: The directory on this machine that whole files are moved to; None where there is none.
    home: Path | None = None

    @property
    def file_format(self) -> str | None:
        """The format in which rows go there; None for dlt's choice."""
        return "csv" if self.kind == "postgres" else None  # COPY, three times as fast

    def of(self, agent: str) -> Destination:
        """Return it as one agent uses it.

        Args:
            agent: what no other agent has.
        """
        if self.kind != "postgres":
            return self
        return self._replace(address=named(self.address, agent))

    def free(self) -> None:
        """End what earlier deliveries of this agent may have left there.

        Raises:
            Exception: the destination cannot be reached.
        """
        if self.kind == "postgres":
            end_others(self.address)

    def publish(self, day: str, batch: str) -> None:
        """Move the files of a batch, which are whole, to where they are read.

        A disk that is full, or a crash, may cut a file, and one file that is cut spoils a query
        of all.

        Raises:
            OSError: they cannot be moved.
        """
        if self.home is None:
            return
        # In every dataset: dlt spells its name in a way of its own.
        for file in (self.home / _INCOMING).glob(f"*/*/dt={day}/{batch}.*"):
            place = self.home / file.relative_to(self.home / _INCOMING)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)

    def made(self, dlt: Any, day: str, batch: str) -> Any:
        """Return dlt's object.

        Args:
            dlt: the module.
            day: whose files they are, if days are apart.
            batch: the name of the files.
        """
        match self.kind:
            case "postgres":
                return dlt.destinations.postgres(self.address)
            case "duckdb":
                return dlt.destinations.duckdb(f"duckdb:///{self.address}")
            case "parquet":
                return dlt.destinations.filesystem(
                    self.address,
                    layout=_LAYOUT,
                    extra_placeholders={"day": day, "batch": batch},
                )
        return dlt.common.destination.Destination.from_reference(self.kind)


def read_destination(text: str) -> Destination:
    """Return the destination that an address names.

    Raises:
        ConfigurationError: it names none, or a package is missing.
    """
    scheme, _, rest = text.partition(":")
    match scheme:
        case "postgres" | "postgresql":
            required("psycopg2", "warehouse", "the agent")
            return Destination("postgres", _with_password(text), _masked(text))
        case "duckdb":
            required("duckdb", "warehouse", "the agent")
            path = _path(text, rest)
            return Destination("duckdb", path, f"duckdb:///{path}")
        case "parquet" if rest.strip("/"):
            shown = f"parquet:{_masked(rest)}"
            if "://" in rest:
                return Destination("parquet", rest, shown, by_day=True)
            home = Path(re.sub("^/+", "/", rest)).absolute()
            return Destination("parquet", (home / _INCOMING).as_uri(), shown, True, home)
        case "dlt" if _DLT_NAME.fullmatch(rest):
            return Destination(rest, "", text)
    raise ConfigurationError(f"destination: is {_masked(text)!r}, must be one of {_FORMS}")


def _path(text: str, rest: str) -> str:
    if not rest.startswith("///") or not rest.strip("/"):  # as in addresses of SQLAlchemy
        raise ConfigurationError(f"destination: is {text!r}, must be one of {_FORMS}")
    return str(Path(rest[3:]).absolute())


def _with_password(text: str) -> str:
    """Return an address with a password, which dlt insists on; servers that trust ignore it."""
    parts = urlsplit(text)
    if not parts.hostname or not parts.path.strip("/"):
        raise ConfigurationError(
            f"destination: is {_masked(text)!r}, must be like "
            "'postgresql://user:password@host:5432/database'"
        )
    if parts.password is not None:
        return text
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:-{at}{host}")) if at else text


def _masked(text: str) -> str:
    """Return an address without a password."""
    return re.sub(r"(://[^/@:]*):[^/]*@", r"\1:***@", text)
