"""Secrets are forgotten when that is asked for, and what is left to do is said; what does not fit a tool is refused with its reason."""

from __future__ import annotations

import io
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from aios_connect.cli.screen import Screen

from .conftest import Aios


def connected(aios: Aios, desk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("open sesame\n"))
    words = ("connect", "desk", "--provider", "desk", "--set", f"url={desk}", "--set", "user=ann", "--password-stdin")
    assert aios(*words).code == 0


def test_a_password_is_forgotten_and_the_settings_stay(aios: Aios, desk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connected(aios, desk, monkeypatch)
    forgot = aios("connect", "desk", "--forget")
    assert (forgot.code, forgot.out) == (0, "desk its secrets are forgotten, its settings stay\n")
    assert "has no password" in aios("connect", "desk").err
    assert aios("connect", "desk", "--forget", "--json").json == {"connection": "desk", "revoked": False, "left": []}
    monkeypatch.setattr(sys, "stdin", io.StringIO("open sesame\n"))
    assert aios("connect", "desk", "--password-stdin").code == 0


def test_a_secret_of_the_environment_is_not_ours_to_forget(aios: Aios, desk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connected(aios, desk, monkeypatch)
    monkeypatch.setenv("AIOS_DESK_PASSWORD", "open sesame")
    forgot = aios("connect", "desk", "--forget")
    assert (forgot.code, "! AIOS_DESK_PASSWORD is still in the environment" in forgot.out) == (4, True)
    assert "open sesame" not in forgot.out + forgot.err


def test_a_consent_that_cannot_be_given_back_is_left_to_the_person(
    aios: Aios, desk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits: list[threading.Thread] = []

    def browser(address: str) -> bool:
        visits.append(threading.Thread(target=lambda: urllib.request.urlopen(address).close()))
        visits[0].start()
        return True

    monkeypatch.setattr("webbrowser.open", browser)
    monkeypatch.setattr(Screen, "interactive", True)
    assert aios("connect", "club", "--provider", "club", "--set", f"url={desk}", "--set", "client_id=us").code == 0
    visits[0].join()
    forgot = aios("connect", "club", "--forget")
    assert forgot.code == 4
    assert "! Club has no address to give a grant back to: take it away in its own settings" in forgot.out


def test_what_a_tool_does_not_offer_is_refused(aios: Aios, desk: str) -> None:
    words = ("connect", "desk", "--provider", "desk", "--set", f"url={desk}", "--set", "user=ann")
    assert "Desk is not signed in to in a browser" in aios(*words, "--port", "8976").err
    assert "Desk offers no consent on another device" in aios(*words, "--device").err
    assert "there is no connection 'nobody'" in aios("connect", "nobody", "--forget").err


def test_a_project_without_a_store_forgets_nothing(aios: Aios, desk: str, tmp_path: Path) -> None:
    (tmp_path / "aios-connect.toml").write_text(f'[connections.desk]\nprovider = "desk"\nurl = "{desk}"\nuser = "ann"\n')
    assert aios("connect", "desk", "--forget").code == 0
