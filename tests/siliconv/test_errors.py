"""The error tree: one message, its parts, its exit code."""

import pickle

import pytest

from siliconv import errors


@pytest.mark.parametrize(
    ("kind", "exit_code"),
    [(errors.WorkSaysNoError, 1), (errors.ProjectError, 2), (errors.DataError, 2), (errors.ToolError, 3)],
)
def test_message_parts_and_exit_code(kind, exit_code):
    error = kind("X-CODE", "found this", where="there", fix="do that")
    assert error.exit_code == exit_code
    for part in ("X-CODE", "found this", "there", "do that"):
        assert part in str(error)


def test_error_survives_pickling_between_worker_processes():
    error = errors.DataError("X-CODE", "found this", where="there", fix="do that")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is errors.DataError
    assert str(again) == str(error)
