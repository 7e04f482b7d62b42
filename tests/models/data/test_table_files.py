"""Tables of text as other programs write them: comments, an index, a separator, a decimal comma."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.bounded_reading import UnreadableError
from siliconv.models.data.table_files import INDEX, read_table

ROWS = "0.5,1.5,7\n-2.0,3.0,8\n"


def every_column(path):
    table = read_table(path)
    return table.column(table.names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"a,b,c\n{ROWS}", ("a", "b", "c")),
        (f"# made by hand\n#\na,b,c\n{ROWS}", ("a", "b", "c")),
        (f"# made by hand\n# a,b,c\n{ROWS}", ("a", "b", "c")),
        (f"#a,b,c\n{ROWS}", ("a", "b", "c")),
        (f",b,c\n{ROWS}", (INDEX, "b", "c")),
    ],
)
def test_the_line_of_names_is_found(tmp_path, text, names):
    (tmp_path / "t.csv").write_text(text)
    table = read_table(tmp_path / "t.csv")
    assert table.names == names
    assert table.column(names).read(0, 2).tolist() == [[0.5, 1.5, 7.0], [-2.0, 3.0, 8.0]]


def test_a_table_of_savetxt_is_read(tmp_path):
    values = np.arange(12.0).reshape(4, 3)
    np.savetxt(tmp_path / "t.csv", values, delimiter=",", header="run 7\nx,y,z")
    table = read_table(tmp_path / "t.csv")
    assert table.names == ("x", "y", "z")
    assert np.array_equal(table.column(("x", "y", "z")).read(0, 4), values)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ROWS, "gives no names of columns"),
        (f"a,,c\n{ROWS}", "gives no names of columns"),
        ("a b c\n0.5 1.5 7\n", "nothing separates the columns"),
        ("# x\na,b,c\n0.5,1.5,7\n1,2\n", "line 4 has 2 entries for 3 columns"),
        ("a;b\n0.5;7\n1,5;8\n", "holds texts"),
    ],
)
def test_what_is_no_table_says_why(tmp_path, text, says):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UnreadableError, match=says):
        every_column(tmp_path / "t.csv")


def test_a_comma_for_the_point_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("a;b\n0,5;7,25\n1,5;8,0\n")
    with pytest.raises(UnreadableError, match="'0,5' has a comma for the point"):
        every_column(tmp_path / "t.csv")
