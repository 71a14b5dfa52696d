"""Sends so many tasks to Celery, waits for them, and prints how many processes did them."""

from __future__ import annotations

import sys

from celery import group

from tests.faults.celery_app import work

if __name__ == "__main__":
    pids = group(work.s(number) for number in range(int(sys.argv[1])))().get(timeout=60)
    print(len(set(pids)))  # noqa: T201
