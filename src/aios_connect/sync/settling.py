"""What the store writes down when a vendor has done a line of a plan: the record, and the entity of one that was deleted.

Everything here takes an open transaction and calls nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import delete, insert, select, update

from aios_connect.connectors.contract import Change, Raw, Receipt
from aios_connect.connectors.spec import ObjectSpec
from aios_connect.store.records import RecordRow, dumps, loads, record_at
from aios_connect.store.tables import entity as entity_table
from aios_connect.store.tables import record as record_table

from .effects import sent_leaves
from .heirs import lost_ancestor
from .merging import Leaves
from .paths import at_path, instant_at, overlaid
from .plans import PlanLine

if TYPE_CHECKING:
    from aios_connect.mappings import CompiledMapping

__all__ = ["judged", "settle_write"]


def judged(tx: Transaction, line: PlanLine, change: Change, receipt: Receipt, spec: ObjectSpec) -> Receipt:
    """The receipt of a create as it is; a refusal, if what answered to our key is another record that ours was not merged into."""
    raw = receipt.record
    if line.action != "create" or receipt.outcome != "written" or raw is None or not spec.merged:
        return receipt
    if at_path(spec.key)(raw) == change.key or lost_ancestor(tx, line.connection, line.object, spec, raw, change.key):
        return receipt
    return Receipt("rejected", reason=f"{receipt.id} holds its key, and is another record; look at it in {line.connection}")


def settle_write(
    tx: Transaction,
    line: PlanLine,
    change: Change,
    receipt: Receipt,
    spec: ObjectSpec,
    mapping: CompiledMapping,
    run: str,
    sent: Leaves | None = None,
) -> tuple[Any, Any]:
    """Bring record and entity up to what was written; returns what was there before and after, for the journal.

    Args:
        tx: An open transaction.
        line: The line that was done.
        change: What was sent.
        receipt: What the vendor says of it.
        spec: The vendor's object.
        mapping: Its mapping.
        run: The run.
        sent: Of a create that was found later: what it said. What the record shows beyond that, people have said since.
    """
    record = record_at(tx, line.connection, line.object, line.id) if line.id else None
    before = _image(record)
    if line.action == "delete":
        if record is not None:
            _set_record(tx, record, gone="deleted")
        living = select(record_table.c.id).where(record_table.c.entity == line.entity, record_table.c.gone.is_(None))
        if tx.execute(living.limit(1)).first() is None:
            tx.execute(update(entity_table).where(entity_table.c.id == line.entity).values(gone="deleted"))
        return before, {"gone": "deleted"}
    raw = receipt.record if receipt.record is not None else overlaid(loads(record.raw) if record else {}, change.patch)
    id = receipt.id or line.id
    assert id is not None
    if record is None and sent is not None:
        made = lost_ancestor(tx, line.connection, line.object, spec, raw, change.key)
        if made is not None:
            _insert_merged(tx, line, change, made, id, sent or sent_leaves(change, mapping), mapping.digest, run)
            return before, {"raw": dumps(change.patch), "patch": change.patch, "id": made}
    leaves, _ = mapping.get(raw)
    told = {field.leaf for field in line.fields}
    seen = dumps(leaves)
    values: dict[str, Any] = {
        "raw": dumps(raw),
        "seen": seen,
        "version": receipt.version
        or (str(at_path(spec.version)(raw) or "") if spec.version and receipt.record is not None else ""),
        "given": None if line.waiting or sent not in (None, sent_leaves(change, mapping)) else line.entity_version,
    }
    if spec.modified and receipt.record is not None:
        values["modified"] = instant_at(at_path(spec.modified)(raw))
    elif spec.modified and spec.modified == spec.version:  # so that a lagging index cannot bring back the record as it was
        values["modified"] = instant_at(receipt.version)
    if record is None:
        _forget_record(tx, line, id)
        row = {
            "connection": line.connection,
            "object": line.object,
            "id": id,
            "kind": line.kind,
            "entity": line.entity,
            "linked": True,
            "evidence": "made by a plan",
            "base": dumps(leaves if sent is None else sent),
            "mapping": mapping.digest,
            "read_run": run,
            "absences": 0,
        }
        tx.execute(insert(record_table).values(**row, **values))
    else:
        base = loads(record.base) if record.base else {}
        base |= {leaf: leaves[leaf] for leaf in told if leaf in leaves}
        _set_record(tx, record, base=_same_order(base, seen), id=id, **values)
    return before, {"raw": values["raw"], "seen": values["seen"], "patch": change.patch, "id": id}


def _insert_merged(
    tx: Transaction, line: PlanLine, change: Change, id: str, survivor: str, sent: Leaves, mapping: str, run: str
) -> None:
    """A record of ours was made, and merged into another before we knew of it; who that one is, the next match tells."""
    said = dumps(sent)
    _forget_record(tx, line, id)
    row = {
        "connection": line.connection,
        "object": line.object,
        "id": id,
        "kind": line.kind,
        "entity": line.entity,
        "linked": True,
        "evidence": "made by a plan",
        "raw": dumps(change.patch),
        "seen": said,
        "base": said,
        "given": line.entity_version,
        "version": "",
        "mapping": mapping,
        "read_run": run,
        "absences": 0,
        "gone": "merged",
        "survivor": survivor,
    }
    tx.execute(insert(record_table).values(**row))


def _forget_record(tx: Transaction, line: PlanLine, id: str) -> None:
    """Make way for what is known now: somebody may have read it already, as nobody's."""
    of_row = (record_table.c.connection == line.connection, record_table.c.object == line.object, record_table.c.id == id)
    tx.execute(delete(record_table).where(*of_row))


def _image(record: RecordRow | None) -> Raw | None:
    if record is None:
        return None
    names = ("id", "raw", "seen", "base", "given", "version", "linked", "entity", "evidence")
    return {name: getattr(record, name) for name in names}


def _same_order(leaves: Mapping[str, Any], seen: str) -> str:
    """JSON of leaves in the order of ``seen``, so that equal content is equal text."""
    order = [leaf for leaf in loads(seen) if leaf in leaves]
    return dumps({leaf: leaves[leaf] for leaf in [*order, *(leaf for leaf in leaves if leaf not in set(order))]})


def _set_record(tx: Transaction, record: RecordRow, **values: Any) -> None:
    tx.execute(
        update(record_table)
        .where(
            record_table.c.connection == record.connection, record_table.c.object == record.object, record_table.c.id == record.id
        )
        .values(**values)
    )
