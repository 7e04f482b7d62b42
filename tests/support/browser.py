"""A page in a real browser: what it says on the console, how wide it is, and what axe-core has against it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HEIGHT = 900


@dataclass(frozen=True)
class Look:
    """What was seen.

    ``overflow``: pixels that the page is wider than the window; ``violations``: axe-core's, a line each; ``rules``: how
    many rules were applied; ``asked``: addresses that were asked for beside the page.
    """

    console: tuple[str, ...]
    overflow: int
    violations: tuple[str, ...]
    rules: int
    asked: tuple[str, ...]


@contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium without a window; a test is skipped where there is none, or the `browser` extra is missing."""
    playwright = pytest.importorskip("playwright.sync_api")
    pytest.importorskip("axe_playwright_python")
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on the PATH")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=found, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def look(
    browser: Any, page_file: Path, width: int, mode: Literal["light", "dark"], picture: Path | None = None
) -> Look:
    """Open a file at a width in a colour scheme; with `picture`, keep a picture of the whole page."""
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=mode)
    try:
        page = context.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.resolve().as_uri())
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if picture is not None:
            page.screenshot(path=str(picture), full_page=True)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
        found = page.evaluate("axe.run()")
    finally:
        context.close()
    lines = tuple(
        f"{one['id']}: {node['html'][:160]} {json.dumps([check['message'] for check in node['any']])[:300]}"
        for one in found["violations"]
        for node in one["nodes"]
    )
    beside = tuple(url for url in asked if not url.startswith("data:") and url != page_file.resolve().as_uri())
    return Look(tuple(said), overflow, lines, len(found["passes"]), beside)
