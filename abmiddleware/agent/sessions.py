"""The agent's sessions at a PostgreSQL, and the end of those that it has lost.

A session whose client vanished without a word, behind a balancer that forgot the connection or on
a machine that lost its power, may last for hours. In the midst of a delivery it holds what the
repetition needs, which then waits for it however often it is begun anew.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from abmiddleware.extras import required
from abmiddleware.notices import notices

_GIVEN: Final = re.compile(r"(?:^|&)application_name=([^&]*)")
#: Characters of a name that PostgreSQL keeps.
_KEPT: Final = 63
#: A role may end its own sessions.
_END: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = current_setting('application_name')
    AND usename = current_user AND pid <> pg_backend_pid()
"""


def named(address: str, agent: str) -> str:
    """Return an address whose sessions can be told from those of all other agents.

    Args:
        address: of a PostgreSQL. A name in it stays the beginning.
        agent: what no other agent has.
    """
    parts = urlsplit(address)
    given = _GIVEN.search(parts.query)
    rest = _GIVEN.sub("", parts.query).lstrip("&")  # as it is: it need not be a form's
    name = unquote(given[1]) if given and given[1] else "abmiddleware-agent"
    ours = f"application_name={quote(f'{name[: _KEPT - len(agent) - 1]}-{agent}')}"
    return urlunsplit(parts._replace(query=f"{rest}&{ours}" if rest else ours))


def end_others(address: str) -> None:
    """End all sessions of an agent but the one that this takes.

    Args:
        address: as `named` gives it.

    Raises:
        psycopg2.OperationalError: the database cannot be reached.
    """
    psycopg2 = required("psycopg2", "warehouse", "the agent")
    connection = psycopg2.connect(address)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_END)
    except psycopg2.OperationalError:
        raise
    except psycopg2.Error as error:  # what speaks its protocol may not know this
        notices.warn("sessions", "sessions that were lost are not ended: %s", error)
    finally:
        connection.close()
