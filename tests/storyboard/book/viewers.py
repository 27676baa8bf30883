"""Three viewers' engines, driven as a reader drives them: click, type, leave, save."""

from __future__ import annotations

import base64
import ctypes
import fcntl
import functools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
import pytest

ROOT = Path(__file__).resolve().parents[3]
SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's bindings for poppler belong to it alone
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def widgets(pdf: pikepdf.Pdf) -> dict[str, pikepdf.Object]:
    """Return every widget by its field's full name, in the order of the pages."""
    return {
        f"{widget.Parent['/T']}.{widget['/T']}": widget
        for page in pdf.pages
        for widget in page.get("/Annots", [])
    }


def values(path: Path) -> dict[str, str]:
    """Return what stands in each field, its lines ended by plain newlines."""
    with pikepdf.open(path) as pdf:
        plain = {name: str(widget.V) for name, widget in widgets(pdf).items()}
    return {name: text.replace("\r\n", "\n").replace("\r", "\n") for name, text in plain.items()}


def appearances(path: Path) -> dict[str, bytes]:
    """Return the bytes that draw each field."""
    with pikepdf.open(path) as pdf:
        return {name: widget.AP.N.read_bytes() for name, widget in widgets(pdf).items()}


def type_with_pdfium(source: Path, target: Path, edits: Mapping[str, str]) -> None:
    """Click into fields, replace all of their text, leave them, and save: Chrome's engine."""
    places = {}
    with pikepdf.open(source) as pdf:
        for number, page in enumerate(pdf.pages):
            for widget in page.get("/Annots", []):
                name = f"{widget.Parent['/T']}.{widget['/T']}"
                places[name] = number, [float(side) for side in widget.Rect]
    document = pypdfium2.PdfDocument(source)
    document.init_forms()
    form = document.formenv.raw
    for name, text in edits.items():
        number, (left, bottom, right, top) = places[name]
        sheet = document[number]
        x, y = (left + right) / 2, (bottom + top) / 2
        pdfium.FORM_OnLButtonDown(form, sheet, 0, x, y)
        pdfium.FORM_OnLButtonUp(form, sheet, 0, x, y)
        pdfium.FORM_SelectAllText(form, sheet)
        buffer = ctypes.create_string_buffer((text + "\0").encode("utf-16-le"))
        letters = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
        pdfium.FORM_ReplaceSelection(form, sheet, letters)
        pdfium.FORM_ForceToKillFocus(form)
        sheet.close()
    document.save(target)
    document.close()


_POPPLER = """
import json, sys, gi
gi.require_version("Poppler", "0.18")
from gi.repository import Gio, Poppler
source, target, edits = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
uri = lambda path: Gio.File.new_for_path(path).get_uri()
document = Poppler.Document.new_from_file(uri(source), None)
for number in range(document.get_n_pages()):
    page = document.get_page(number)
    for mapping in page.get_form_field_mapping():
        name = mapping.field.get_name()
        if name in edits:
            mapping.field.text_set_text(edits.pop(name))
assert not edits, edits
document.save(uri(target))
"""


def type_with_poppler(source: Path, target: Path, edits: Mapping[str, str]) -> None:
    """Set the text of fields and save: the engine of Evince and Okular."""
    if not _has_poppler():
        pytest.skip("Debian's python3-gi and gir1.2-poppler-0.18 are not installed")
    arguments = [str(source), str(target), json.dumps(edits)]
    subprocess.run([SYSTEM_PYTHON, "-c", _POPPLER, *arguments], check=True, capture_output=True)


@functools.cache
def _has_poppler() -> bool:
    code = "import gi; gi.require_version('Poppler', '0.18'); from gi.repository import Poppler"
    if not Path(SYSTEM_PYTHON).exists():
        return False
    done = subprocess.run([SYSTEM_PYTHON, "-c", code], capture_output=True, check=False)
    return done.returncode == 0


_PAGE = """\
<!doctype html><meta charset="utf-8">
<link rel="stylesheet" href="{pdfjs}/web/pdf_viewer.css">
<style>#box {{ position: absolute; width: 800px; height: 900px; overflow: auto }}</style>
<div id="box"><div id="viewer" class="pdfViewer"></div></div>
<script type="module">
let pdf, viewer;
async function load() {{
  globalThis.pdfjsLib = await import("{pdfjs}/build/pdf.mjs");
  globalThis.pdfjsWorker = await import("{pdfjs}/build/pdf.worker.mjs");
  const web = await import("{pdfjs}/web/pdf_viewer.mjs");
  const data = Uint8Array.from(atob("{data}"), (c) => c.charCodeAt(0));
  pdf = await pdfjsLib.getDocument({{ data, cMapUrl: "{pdfjs}/cmaps/" }}).promise;
  const eventBus = new web.EventBus();
  const linkService = new web.PDFLinkService({{ eventBus }});
  const container = document.getElementById("box");
  viewer = new web.PDFViewer({{ container, eventBus, linkService }});
  linkService.setViewer(viewer);
  eventBus.on("pagesinit", () => {{ viewer.currentScaleValue = "page-width"; }});
  viewer.setDocument(pdf);
  linkService.setDocument(pdf);
  await viewer.pagesPromise;
  const shown = {{}};
  for (let number = 1; number <= pdf.numPages; number++) {{
    viewer.scrollPageIntoView({{ pageNumber: number }});
    const layer = () => viewer.getPageView(number - 1).div.querySelectorAll("textarea");
    for (let tries = 0; !layer().length && tries < 100; tries++)
      await new Promise((done) => setTimeout(done, 50));
    for (const field of layer()) {{
      shown[field.name] = field.value;
      field.focus();
      field.blur();
    }}
  }}
  return JSON.stringify(shown);
}}
globalThis.loaded = load();
globalThis.enter = (name) => {{
  const field = document.querySelector(`textarea[name="${{name}}"]`);
  field.focus();
  field.select();
}};
globalThis.save = async () => {{
  document.activeElement.blur();
  let binary = "";
  for (const byte of await pdf.saveDocument()) binary += String.fromCharCode(byte);
  return btoa(binary);
}};
</script>
"""


def type_with_pdfjs(source: Path, target: Path, edits: Mapping[str, str]) -> dict[str, str]:
    """Type into fields and save, and return what they showed before: the engine of Firefox."""
    page = target.with_suffix(".html")
    data = base64.b64encode(source.read_bytes()).decode()
    page.write_text(_PAGE.format(pdfjs=_pdfjs().as_uri(), data=data))
    with _Browser(_browser(), target.with_suffix(".profile")) as browser:
        browser.open(page)
        shown: dict[str, str] = json.loads(browser.result("loaded"))
        for name, text in edits.items():
            browser.result(f"enter({json.dumps(name)})")
            browser.call("Input.insertText", text=text)
        target.write_bytes(base64.b64decode(browser.result("save()")))
    return shown


class _Browser:
    """A Chromium without a window, spoken to through pipes: no socket, no driver."""

    def __init__(self, program: str, profile: Path) -> None:
        to_browser, self._questions = os.pipe()
        self._answers, from_browser = os.pipe()
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
        flags += ("--allow-file-access-from-files", "--remote-debugging-pipe")

        def take_pipes() -> None:  # where the browser expects them
            os.dup2(fcntl.fcntl(to_browser, fcntl.F_DUPFD, 10), 3)
            os.dup2(fcntl.fcntl(from_browser, fcntl.F_DUPFD, 10), 4)

        self._process = subprocess.Popen(
            [program, *flags, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=take_pipes,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._number = 0
        self._heard = b""
        self._session: str | None = None

    def __enter__(self) -> _Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._questions)
        os.close(self._answers)

    def open(self, page: Path) -> None:
        """Open a page and wait until its script has run."""
        tabs: list[Any] = []
        while not tabs:
            found = self.call("Target.getTargets")["targetInfos"]
            tabs = [one["targetId"] for one in found if one["type"] == "page"]
        attached = self.call("Target.attachToTarget", targetId=tabs[0], flatten=True)
        self._session = attached["sessionId"]
        self.call("Page.navigate", url=page.as_uri())
        while self.result("typeof loaded") == "undefined":
            time.sleep(0.05)

    def result(self, code: str) -> Any:
        """Return what a piece of JavaScript gives, once it is there."""
        done = self.call("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def call(self, method: str, **parameters: Any) -> Any:
        """Ask something of the browser and return the answer."""
        self._number += 1
        question = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            question["sessionId"] = self._session
        os.write(self._questions, json.dumps(question).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._heard:
            read = os.read(self._answers, 1 << 20)
            assert read, "the browser has ended"
            self._heard += read
        message, self._heard = self._heard.split(b"\0", 1)
        answer: dict[str, Any] = json.loads(message)
        return answer


def _browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    return found


def _pdfjs() -> Path:
    default = ROOT / ".venv" / "browser" / "node_modules" / "pdfjs-dist"
    folder = Path(os.environ.get("STORYBOARD_PDFJS", default))
    if not (folder / "build" / "pdf.mjs").is_file():
        pytest.skip("pdf.js is not installed; `make test-browser` installs it")
    return folder
