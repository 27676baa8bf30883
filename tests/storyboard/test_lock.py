import os
import signal
import subprocess
import sys

import pytest

from storyboard.errors import ExitCode, LockedError, OutputError
from storyboard.lock import locked

HOLD = """
import sys, time
from pathlib import Path
from storyboard.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_held_folder_is_refused_with_the_name_of_its_holder(tmp_path, holder):
    named = pytest.raises(LockedError, match=f"process {holder.pid} on ")
    with named as refused, locked(tmp_path / "lock"):
        pass
    assert refused.value.exit_code is ExitCode.OUTPUT


def test_the_lock_of_a_killed_process_holds_nobody_up(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locked(tmp_path / "lock"):
        assert f'"pid":{os.getpid()}' in (tmp_path / "lock").read_text()


def test_a_lock_can_be_taken_again_after_it_was_given_back(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "lock"):
            pass


def test_a_folder_that_is_not_there_cannot_be_locked(tmp_path):
    with pytest.raises(OutputError), locked(tmp_path / "missing" / "lock"):
        pass
