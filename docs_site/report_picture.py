"""Take the picture of the report that the README shows: `python docs_site/report_picture.py [REPORT]`.

REPORT is that of `siliconv demo` in the current folder by default: handwritten digits of scikit-learn, nobody's photos.
The picture is taken by a headless Chromium, 1280 pixels wide, in light colours.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "report.png"
REPORT = Path("siliconv_demo") / "build" / "report.html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1280, 860


def main() -> None:
    """Take the picture, or say what is missing."""
    report = Path(sys.argv[1]) if len(sys.argv) > 1 else REPORT
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None or not report.is_file():
        sys.exit(f"needs {report}, and one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                browser,
                "--headless",
                "--disable-gpu",
                "--no-sandbox",
                "--hide-scrollbars",
                f"--user-data-dir={profile}",
                f"--window-size={WIDTH},{HEIGHT}",
                f"--screenshot={PICTURE}",
                report.resolve().as_uri(),
            ],
            check=True,
            capture_output=True,
        )


if __name__ == "__main__":
    main()
