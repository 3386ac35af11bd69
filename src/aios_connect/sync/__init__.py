"""The engine: read, match, merge, plan, apply, undo, reconcile, explain."""

from .applying import apply_plan
from .exceptions import ExceptionItem, open_exceptions, settle
from .explaining import Why, why
from .exporting import Export, export
from .jobs import Caps, Job, KindRule, load_job
from .planning import make_plan
from .plans import FieldChange, Footer, Header, Plan, PlanLine, PlanSummary, load_plan
from .progress import Progress, Silent, Task
from .reading import ReadReport, read_job
from .reconciling import Drift, reconcile
from .reports import ApplyReport, LineReport
from .runs import RunItem, Status, paused_by, runs, status
from .undoing import make_undo

__all__ = [
    "ApplyReport",
    "Caps",
    "Drift",
    "ExceptionItem",
    "Export",
    "FieldChange",
    "Footer",
    "Header",
    "Job",
    "KindRule",
    "LineReport",
    "Plan",
    "PlanLine",
    "PlanSummary",
    "Progress",
    "ReadReport",
    "RunItem",
    "Silent",
    "Status",
    "Task",
    "Why",
    "apply_plan",
    "export",
    "load_job",
    "load_plan",
    "make_plan",
    "make_undo",
    "open_exceptions",
    "paused_by",
    "read_job",
    "reconcile",
    "runs",
    "settle",
    "status",
    "why",
]
