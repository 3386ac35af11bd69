"""A BottleCRM that is a table of answers."""

from __future__ import annotations

from typing import Any

import httpx2

from aios_connect.connectors import Change, Raw

from .bottlecrm_story import ADDRESS, connector

__all__ = ["ID", "INTAKE", "MODELS", "OTHER", "Answer", "Server", "contact", "deal", "defined", "people", "task", "update"]

ID = "68273879-85a3-41d0-9be6-7d5bc0ea1baa"
OTHER = "3ca48b81-cfeb-4663-8698-f23c8e540e6d"
INTAKE = f"{ADDRESS}/api/public/leads/{OTHER}/"

Answer = tuple[int, Any]


class Server:
    """BottleCRM as a table: method and path -> answers, one after another; the last one stays."""

    def __init__(self, **answers: Any) -> None:
        told: dict[str, list[Answer]] = {
            name: list(answer) if isinstance(answer, list) else [answer] for name, answer in answers.items()
        }
        told.setdefault("GET custom-fields/", [(200, {"definitions": [defined(model) for model in MODELS]})])
        self.answers = told
        self.asked: list[httpx2.Request] = []
        self.crm = connector(httpx2.MockTransport(self._answer), attempts=1, intake=INTAKE)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        name = f"{request.method} {request.url.path.removeprefix('/api/')}"
        answers = self.answers[name]
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:
            raise httpx2.ReadTimeout("nobody answered")
        return httpx2.Response(status, text=body) if isinstance(body, str) else httpx2.Response(status, json=body)

    def sent(self, method: str) -> list[httpx2.Request]:
        return [request for request in self.asked if request.method == method]


MODELS = ("Lead", "Contact", "Account", "Opportunity", "Task")


def defined(model: str, key: str = "aios_key") -> Raw:
    return {"id": OTHER, "target_model": model, "key": key, "label": key, "field_type": "text", "options": None}


def contact(**values: Any) -> Raw:
    plain: Raw = {
        "id": ID,
        "first_name": "Zoë",
        "last_name": "O'Hara",
        "account": None,
        "description": "old",
        "custom_fields": {},
    }
    return {**plain, "created_at": "2026-11-21T11:00:00Z", "updated_at": "2026-11-21T11:00:00Z", **values}


def deal(**values: Any) -> Raw:
    plain: Raw = {
        "id": ID,
        "name": "A",
        "amount": "900.00",
        "currency": "EUR",
        "contacts": [],
        "account": None,
        "custom_fields": {},
    }
    return {**plain, "created_at": "2026-11-21T11:00:00Z", **values}


def task(**values: Any) -> Raw:
    return {"id": ID, "title": "Call", "created_at": "2026-11-21T11:00:00Z", "due_date": None, "custom_fields": {}, **values}


def people(*rows: Raw) -> Answer:
    return (200, {"results": list(rows), "count": len(rows)})


def update(patch: Raw, expect: Raw | None = None) -> Change:
    return Change("update", "plan.1", ID, patch, expect or {})
