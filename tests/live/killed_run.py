"""``aios run`` in a process of its own, to be killed. What it needs is loaded before the process is forked, so that it starts at once."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import alembic.context  # noqa: F401 # the store asks for it when it is opened
from aios_connect_tryton import Tryton

import aios_connect.cli.changing
import aios_connect.cli.program  # noqa: F401
from aios_connect.cli import main
from aios_connect.connection.opening import shipped_mappings
from aios_connect.mappings import load

__all__ = ["work"]

for file in [*shipped_mappings("csv").glob("*.yaml"), *shipped_mappings("tryton").glob("*.yaml")]:
    load(file)


def work(project: Path, job: str, password: str) -> None:
    """Run a job, with Tryton in small pages and batches; the process may be killed at any instant.

    Args:
        project: The project's folder.
        job: The job.
        password: Tryton's.
    """
    objects = {name: replace(object, page_size=3, batch_size=2) for name, object in Tryton.spec.objects.items()}
    Tryton.spec = replace(Tryton.spec, objects=objects)
    os.environ["AIOS_CRM_PASSWORD"] = password
    os.chdir(project)
    said = os.open("said.txt", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.exit(main(["run", job, "--json"]))
