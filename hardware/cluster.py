"""Work on the workers of a Dask cluster that is there already: one task at a time in each, on files that all see."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siliconv.errors import ProjectError, ToolError
from siliconv.hardware.file_hashes import file_hash
from siliconv.hardware.workers import (
    IN_FLIGHT,
    CrashedTaskError,
    Outcome,
    Result,
    StuckTaskError,
    in_order,
    observed,
    run_tasks,
)

if TYPE_CHECKING:
    from distributed import Client

SECONDS_TO_ANSWER = 30


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Give a client of the scheduler at an address.

    Raises
    ------
    ToolError
        ``CLUSTER-DASK`` without Dask, without a scheduler there, also where it ends meanwhile, or without a worker.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ToolError(
            "CLUSTER-DASK",
            "Dask is not installed",
            where=address,
            fix="install it: python -m pip install 'siliconv[dask]'",
        ) from error
    start = "start one (dask scheduler), and workers of one thread each (dask worker ADDRESS --nthreads 1)"
    try:
        client = Client(address, timeout=SECONDS_TO_ANSWER)
    except (OSError, ValueError) as error:
        raise ToolError("CLUSTER-DASK", f"the scheduler does not answer: {error}", where=address, fix=start) from error
    try:
        with client:
            try:
                client.wait_for_workers(1, timeout=SECONDS_TO_ANSWER)
            except TimeoutError as error:
                raise ToolError("CLUSTER-DASK", "the scheduler has no worker", where=address, fix=start) from error
            yield client
    except OSError as error:
        raise ToolError("CLUSTER-DASK", f"the scheduler does not answer: {error}", where=address, fix=start) from error


def check_worker(same_code: bool, missing: str | None) -> None:
    """Refuse, on a worker, to work beside something else, with other code or without the files.

    Parameters
    ----------
    same_code
        Whether it runs the code of whoever asks.
    missing
        A file that it does not see as it is there.

    Raises
    ------
    ProjectError
        ``CLUSTER-WORKER``.
    """
    from distributed import get_worker

    worker: Any = get_worker()
    wrong = None
    if worker.state.nthreads != 1:
        wrong = (
            f"has {worker.state.nthreads} threads, and a task is alone in its process",
            "start it with --nthreads 1",
        )
    elif missing is not None:
        wrong = (f"does not see this project's files at {missing}", "put the project on a disk that all share")
    elif not same_code:
        wrong = ("runs another version of siliconv", "install the same version on all machines")
    if wrong is not None:
        raise ProjectError("CLUSTER-WORKER", f"a worker {wrong[0]}", where=worker.address, fix=wrong[1])


def run_here_or_there(
    function: Callable[..., Result],
    tasks: Sequence[tuple[Any, ...]],
    dask: str | None,
    *,
    processes: int,
    seconds: float,
    files: Sequence[Path],
) -> Iterator[Outcome[Result]]:
    """Call a function in processes of this machine (`run_tasks`), or on the workers of a cluster (`run_on_cluster`)."""
    if dask is None:
        return run_tasks(function, tasks, processes=processes, seconds=seconds)
    return run_on_cluster(function, tasks, dask, seconds=seconds, files=files)


def run_on_cluster(
    function: Callable[..., Result],
    tasks: Sequence[tuple[Any, ...]],
    address: str,
    *,
    seconds: float,
    files: Sequence[Path] = (),
) -> Iterator[Outcome[Result]]:
    """Call a function on workers, and yield the outcomes in the order of the tasks, as `run_tasks` does.

    Parameters
    ----------
    function
        A function of a module.
    tasks
        Its arguments, a tuple a task.
    address
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.
    seconds
        Time for one task.
    files
        What each worker has to see at the same place with the same content.

    Raises
    ------
    StuckTaskError
        A task took longer; its worker may still be at it.
    CrashedTaskError
        Workers died of a task again and again.
    ToolError, ProjectError
        As `connected` and `check_worker`.
    """
    seen, code = {str(path): digest(path) for path in files}, _code(function)
    with connected(address) as client:
        from distributed import KilledWorker

        def submit(arguments: tuple[Any, ...]) -> Any:
            return client.submit(_at_worker, function, arguments, code, seen, pure=False)

        ahead = IN_FLIGHT * len(client.scheduler_info()["workers"])
        try:
            yield from in_order(submit, tasks, ahead, lambda future: future.result(timeout=IN_FLIGHT * seconds))
        except KilledWorker as error:
            raise CrashedTaskError(str(error)) from error
        except TimeoutError as error:
            raise StuckTaskError from error


def _at_worker(
    function: Callable[..., Result], arguments: tuple[Any, ...], code: str, seen: Mapping[str, str]
) -> Outcome[Result]:
    missing = next((path for path, known in seen.items() if digest(Path(path)) != known), None)
    check_worker(_code(function) == code, missing)
    with tempfile.TemporaryDirectory(prefix="siliconv-") as folder:
        return observed(function, arguments, Path(folder))


def _code(function: Callable[..., Any]) -> str:
    """Give a hash of the module in which a function stands."""
    return digest(Path(inspect.getfile(function)))


def digest(path: Path) -> str:
    """Give the SHA-256 of a file, nothing where it cannot be read."""
    try:
        return file_hash(path)
    except OSError:
        return ""
