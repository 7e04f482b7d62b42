"""Who does the trials makes no difference: here, in processes, on a cluster, and when a worker is killed at it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from dask_cluster import SECONDS_TO_BEGIN, Cluster
from run_records import a_record
from search_kills import different, found_of, start_search, undisturbed_search

from siliconv.errors import ProjectError, ToolError
from siliconv.hardware.workers import CrashedTaskError
from siliconv.search import crew as tested
from siliconv.search.crew import Crew, run_trials
from siliconv.search.trial import Candidate, RefusedTrial

CANDIDATES = [Candidate({"quantize.weights": bits}, None, f"{bits} bits") for bits in range(2, 8)]


class Told:
    def __init__(self):
        self.lines = []

    def begin(self, *about, done=0):
        pass

    def update(self, done, note=""):
        pass

    def end(self):
        pass

    def say(self, line):
        self.lines.append(line)


@pytest.fixture
def study(tmp_path):
    (tmp_path / "build" / "float").mkdir(parents=True)
    (tmp_path / "build" / "float" / "weights.npz").write_bytes(b"")
    wanted = SimpleNamespace(board=SimpleNamespace(name="zcu104"), core="hls", images_per_second=None, latency_us=None)
    return SimpleNamespace(folder=tmp_path, work=tmp_path / "runs" / "one", name="one", hashes={}, wanted=wanted)


def outcome(candidate):
    bits = candidate.changes["quantize.weights"]
    return RefusedTrial("r", "TRAIN-NAN", "no number") if bits == 5 else a_record(f"a{bits}", 0.9, 100.0 * bits)


@pytest.fixture
def instant(monkeypatch):
    monkeypatch.setattr(tested, "run_trial", lambda study, candidate, progress: outcome(candidate))


def test_outcomes_stand_in_the_order_of_the_candidates_and_each_is_told(study, instant):
    told = Told()
    found = run_trials(study, CANDIDATES, Crew(), told)
    assert found == [outcome(one) for one in CANDIDATES]
    assert "1/6 a2, by hand: accuracy 0.9000 on validation, 200 LUT" in told.lines
    assert "4/6 [TRAIN-NAN] no number" in told.lines


def test_none_is_begun_after_the_deadline_but_the_first_where_that_is_asked_for(study, instant):
    late = time.time() - 1
    assert run_trials(study, CANDIDATES, Crew(), Told(), deadline=late) == [None] * 6
    found = run_trials(study, CANDIDATES, Crew(), Told(), deadline=late, one_at_least=True)
    assert found == [outcome(CANDIDATES[0]), *[None] * 5]


def dying(deaths):
    """Stand in for processes: so often one of them dies at the third trial of those that are left."""

    def run_tasks(function, tasks, *, processes, seconds):
        for number, (job,) in enumerate(tasks):
            if number == 2 and dying.left:
                dying.left -= 1
                raise CrashedTaskError("killed")
            yield SimpleNamespace(result=outcome(job.candidate))

    dying.left = deaths
    return run_tasks


def test_what_a_dead_process_was_at_is_done_again_and_nothing_else(study, monkeypatch):
    monkeypatch.setattr(tested, "run_tasks", dying(2))
    monkeypatch.setattr(tested, "processes_for", lambda jobs, each: jobs)
    told = Told()
    assert run_trials(study, CANDIDATES, Crew(workers=2), told) == [outcome(one) for one in CANDIDATES]
    assert sum("worker died" in line for line in told.lines) == 2


def test_processes_that_die_again_and_again_are_given_up(study, monkeypatch):
    def run_tasks(*arguments, **others):
        raise CrashedTaskError("out of memory")

    monkeypatch.setattr(tested, "run_tasks", run_tasks)
    monkeypatch.setattr(tested, "processes_for", lambda jobs, each: jobs)
    with pytest.raises(ToolError, match=r"SEARCH-WORKER.*out of memory"):
        run_trials(study, CANDIDATES, Crew(workers=2), Told())


def test_a_scheduler_that_is_not_there_is_told(study, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("siliconv.hardware.cluster.SECONDS_TO_ANSWER", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ToolError, match="CLUSTER-DASK"):
            run_trials(study, CANDIDATES, Crew(dask=address), Told())


def test_without_dask_it_is_told_how_to_install_it(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ToolError, match=r"siliconv\[dask\]"):
        run_trials(study, CANDIDATES, Crew(dask="tcp://127.0.0.1:1"), Told())


@pytest.mark.parametrize(
    ("threads", "code", "data", "said"),
    [
        (4, None, None, "4 threads"),
        (1, "other", None, "another version"),
        (1, None, "other", "does not see this project's files"),
    ],
)
def test_a_worker_that_sees_something_else_is_refused(study, instant, monkeypatch, threads, code, data, said):
    distributed = pytest.importorskip("distributed")
    worker = SimpleNamespace(state=SimpleNamespace(nthreads=threads), address="tcp://10.0.0.7:1")
    monkeypatch.setattr(distributed, "get_worker", lambda: worker)
    job = tested._Job(study, CANDIDATES[0], None)
    known = tested.digest(study.folder / "build" / "float" / "weights.npz")
    with pytest.raises(ProjectError, match=f"CLUSTER-WORKER.*{said}"):
        tested._at_worker(job, code or tested._code(), data or known)


@pytest.fixture
def cluster(tmp_path):
    pytest.importorskip("distributed")
    found = Cluster(tmp_path)
    yield found
    found.close()


def wait_for(what, process, said):
    begun = time.monotonic()
    while not what():
        assert process.poll() is None, said.read_text()[-3000:]
        assert time.monotonic() - begun < SECONDS_TO_BEGIN
        time.sleep(0.1)


def at_work(processes, project):
    """Give the processes that hold the lock of a trial that has a checkpoint and no record: they are at it."""
    found = []
    for one in processes:
        files = {Path(file.path) for file in psutil.Process(one).open_files()}
        at = [file.parent for file in files if file.name == ".lock" and file.parent.parent.name == "trials"]
        if any((trial / "fine_tuning").is_dir() for trial in at):
            found.append(one)
    return found


@pytest.mark.slow
def test_on_a_cluster_of_two_one_is_killed_and_no_trial_is_lost_or_counted_twice(tmp_path, cluster):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    known = undisturbed_search(tmp_path / "one", "trial")
    project = tmp_path / "two" / "small"
    process = start_search(tmp_path / "two", "trial", "--dask", cluster.address)
    workers = [one.pid for one in cluster.processes[1:]]
    wait_for(lambda: at_work(workers, project), process, tmp_path / "two" / "said.txt")
    killed = at_work(workers, project)[0]
    os.kill(killed, signal.SIGKILL)
    assert process.wait(SECONDS_TO_BEGIN) == 0, (tmp_path / "two" / "said.txt").read_text()[-3000:]
    assert different(known, found_of(project, 0.0)) == ""
    assert [one.poll() is None for one in cluster.processes].count(True) == 2


@pytest.mark.slow
def test_in_two_processes_one_is_killed_and_no_trial_is_lost_or_counted_twice(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    known = undisturbed_search(tmp_path / "one", "trial")
    project = tmp_path / "two" / "small"
    process = start_search(tmp_path / "two", "trial", "--workers", "2")

    def below():
        return [one.pid for one in psutil.Process(process.pid).children(recursive=True)]

    wait_for(lambda: at_work(below(), project), process, tmp_path / "two" / "said.txt")
    os.kill(at_work(below(), project)[0], signal.SIGKILL)
    said = tmp_path / "two" / "said.txt"
    assert process.wait(SECONDS_TO_BEGIN) == 0, said.read_text()[-3000:]
    assert "a worker died in the middle of a trial" in said.read_text()
    assert different(known, found_of(project, 0.0)) == ""
