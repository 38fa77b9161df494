"""The example of a test-suite runs as its reader would run it: by pytest alone, with nothing of our configuration."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
PATIENCE = 60.0  # seconds; it takes two or three


def run_suite(folder: Path, settings: Path) -> subprocess.CompletedProcess[str]:
    """Run the suite in *folder*, by settings of its own: ours, in a folder above, would have it import our bank."""
    ini = settings / "pytest.ini"
    ini.write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", str(ini), "test_ussd_bank.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_the_suite_of_an_app_is_green_on_both_backends(tmp_path: Path) -> None:
    """The issue: a tested test-suite of an app, written as its user would."""
    done = run_suite(EXAMPLES, tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    tests = re.findall(r"^async def (test_\w+)", (EXAMPLES / "test_ussd_bank.py").read_text(encoding="utf-8"), re.M)
    assert f"{2 * len(tests)} passed" in done.stdout


def test_the_suite_finds_a_bank_that_counts_wrong(tmp_path: Path) -> None:
    """This test's own: green must mean something."""
    bank = (EXAMPLES / "ussd_bank.py").read_text(encoding="utf-8")
    wrong = bank.replace('known["balance"] - int(text)', 'known["balance"] - int(text) - 1')
    assert wrong != bank
    (tmp_path / "ussd_bank.py").write_text(wrong, encoding="utf-8")
    suite = tmp_path / "test_ussd_bank.py"
    suite.write_text((EXAMPLES / suite.name).read_text(encoding="utf-8"), encoding="utf-8")
    done = run_suite(tmp_path, tmp_path)
    assert done.returncode == 1, done.stdout[-4000:] + done.stderr[-2000:]
    assert "assert 299 == 300" in done.stdout
