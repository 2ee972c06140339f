"""A real Chromium without a window, told what to do over a pipe by its own protocol."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time

CHROMIUM = shutil.which("chromium")
KEYS = {
    "Tab": (9, ""),
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    " ": (32, " "),
    "ArrowRight": (39, ""),
    "ArrowDown": (40, ""),
}


class Page:
    """A page in a browser.

    Args:
        process: the browser.
        read: the file from which it is heard.
        write: the one by which it is told.
    """

    def __init__(self, process, read, write):
        self.process, self.read, self.write = process, read, write
        self.number, self.session, self.events = 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for part in ("Page", "Runtime", "DOM", "Log", "Network"):
            self.call(f"{part}.enable")

    def call(self, method, **params):
        """Return what a method of the protocol gives."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._heard()
            if heard.get("id") == self.number:
                assert "error" not in heard, heard
                return heard["result"]
            self.events.append(heard)

    def _heard(self):
        content = bytearray()
        while (byte := self.read.read(1)) != b"\0":
            assert byte, "the browser has gone"
            content += byte
        return json.loads(content)

    def run(self, program):
        """Return what a program of JavaScript gives, once it has."""
        given = {"expression": program, "returnByValue": True, "awaitPromise": True}
        result = self.call("Runtime.evaluate", **given)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, condition, seconds=60):
        """Return once a condition in JavaScript holds."""
        until = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < until, f"{condition} never was so: {self.run('document.body.innerText')}"
            time.sleep(0.05)

    def open(self, address, width=1100, height=800, dark=False):
        """Show a page in a window of a size."""
        self.size(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def size(self, width, height):
        """Make the window as large."""
        mobile = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def choose(self, *files, selector="#file"):
        """Choose files for an input."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    def press(self, key):
        """Press a key."""
        code, text = KEYS[key]
        given = {"key": key, "windowsVirtualKeyCode": code, "text": text} if text else {"key": key}
        self.call("Input.dispatchKeyEvent", type="keyDown", **{"windowsVirtualKeyCode": code, **given})
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def drawn(self, chart, *places):
        """Return where, in pixels of the window, some fractions of the width and height of a chart's lines are."""
        left, top, width, height = self.run(
            f"(() => {{ {chart}.scrollIntoView({{block: 'center'}});"
            f" const box = {chart}.querySelector('.u-over').getBoundingClientRect();"
            " return [box.left, box.top, box.width, box.height] })()"
        )
        return [(left + across * width, top + down * height) for across, down in places]

    def touch(self, *places):
        """Put a finger down at the first of some places, x and y, draw it over the others and lift it."""
        self.call("Emulation.setTouchEmulationEnabled", enabled=True)
        for number, (x, y) in enumerate(places):
            kind = "touchMove" if number else "touchStart"
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def picture(self, file):
        """Write what is seen of the whole page."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self):
        """Return what the page wrote to its console, and what was refused to it."""
        self.run("1")
        kinds = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        told = [each["params"] for each in self.events if each.get("method") in kinds]
        advice = "rendering"  # of how often a test looks at a canvas
        return [each for each in told if each.get("entry", {}).get("source") != advice]

    def addresses(self):
        """Return all that the page has asked for."""
        sent = (
            each["params"]["request"]["url"] for each in self.events if each["method"] == "Network.requestWillBeSent"
        )
        return [each for each in sent if not each.startswith(("data:", "blob:"))]


@contextlib.contextmanager
def browser(folder):
    """A page of a browser whose files are in a folder."""
    told_read, told_write = os.pipe()
    heard_read, heard_write = os.pipe()

    def arrange():  # the browser reads from 3 and writes to 4
        first, second = os.dup(told_read), os.dup(heard_write)
        os.dup2(first, 3)
        os.dup2(second, 4)

    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]
    flags += ["--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-sync"]
    process = subprocess.Popen(
        [CHROMIUM, *flags, f"--user-data-dir={folder}", "about:blank"],
        close_fds=False,
        preexec_fn=arrange,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(told_read)
    os.close(heard_write)
    with os.fdopen(heard_read, "rb") as read:
        try:
            yield Page(process, read, told_write)
        finally:
            with contextlib.suppress(OSError):
                os.close(told_write)
            process.kill()
            process.wait(20)
