"""Where plan files lie, and for how long: ``.aios/plans``, the latest of each job."""

from __future__ import annotations

import json
from pathlib import Path

from aios_connect.store import Store
from aios_connect.sync import PlanSummary, runs

__all__ = ["KEPT", "file_away", "unfinished"]

KEPT = 20
"""How many plans of a job are kept. They hold personal data, and what was done stands in the journal."""


def file_away(summary: PlanSummary, store: Store) -> PlanSummary:
    """Put a plan under its own name, so that a run can find it again; the oldest of its job go, one that is half-way applied stays."""
    path = summary.path.with_name(f"{summary.header.plan}.jsonl")
    summary.path.replace(path)
    folder, job = path.parent, summary.header.job
    plans = [other for other in folder.glob("plan_*.jsonl") if _job(other) == job]
    plans.sort(key=lambda plan: (plan == path, plan.stat().st_mtime_ns), reverse=True)
    for old in plans[KEPT:]:
        if old != unfinished(folder, job, store):
            old.unlink(missing_ok=True)
    return PlanSummary(path, summary.header, summary.footer)


def unfinished(folder: Path, job: str, store: Store) -> Path | None:
    """The plan file of an apply of this job that was stopped half-way, if it is still there."""
    for item in runs(store, limit=50):
        if item.job == job and item.kind in ("apply", "undo"):
            path = folder / f"{item.plan}.jsonl"
            return path if item.state in ("running", "stopped") and path.exists() else None
    return None


def _job(plan: Path) -> str:
    """The job in the first line of a plan file; empty if it is none."""
    try:
        with open(plan, "rb") as file:
            return str(json.loads(file.readline())["header"]["job"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
