"""Names of new projects: those that make and the shell hand on as they are."""

from __future__ import annotations

import pytest

from siliconv.errors import SiliconvError
from siliconv.project.project_template import write_project


@pytest.mark.parametrize("name", ["", ".", "..", "it's", 'my"pets', "my\\pets", "a\nb"])
def test_names_that_make_and_shell_do_not_hand_on_are_refused(tmp_path, name):
    with pytest.raises(SiliconvError, match="no name for a project") as caught:
        write_project(name, base=tmp_path)
    assert caught.value.code == "PROJECT-NAME"


@pytest.mark.parametrize("name", ["my pets", "pets-2", "größe", "folder of mine/pets"])
def test_other_names_are_taken(tmp_path, name):
    assert write_project(name, base=tmp_path).is_file()
