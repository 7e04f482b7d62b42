"""What the user added or edited in a build folder is somewhere afterwards, whatever a stage writes."""

from __future__ import annotations

import pytest

from siliconv.flow.flow import Stage, run_flow
from siliconv.progress import Silent
from siliconv.project.project import ProjectConfig


@pytest.fixture
def flow(tmp_path):
    """Run one stage that writes a folder of two files and a file, with a setting."""
    project = ProjectConfig.model_validate({"model": {"preset": "digits"}})
    told = []

    def work(context):
        (context.out / "made").mkdir()
        (context.out / "made" / "source.cpp").write_text(f"setting {flow.setting}")
        (context.out / "made" / "same.h").write_text("always the same")
        (context.out / "result.json").write_text(f"{flow.setting}")
        return ""

    def flow(setting, **options):
        flow.setting = setting
        modules = ("siliconv.network.fixed_point",)
        outputs = ("made", "result.json")
        stage = Stage("stage", work, outputs, (), lambda project: setting, modules, regrown=("csim/*.o",))
        (result,) = run_flow((stage,), project, "name", tmp_path, Silent(), until="stage", **options)
        told.append(result.kept)
        return result

    flow.build = tmp_path
    return flow


def test_what_was_added_and_edited_is_moved_aside_and_named(flow):
    flow(1)
    made = flow.build / "made"
    (made / "notes.txt").write_text("of the timing")
    (made / "vendor").mkdir()
    (made / "vendor" / "hours.rpt").write_text("5,123 LUT")
    (made / "source.cpp").write_text("edited by hand")
    (flow.build / "result.json").write_text("edited too")
    result = flow(2)
    kept = flow.build / "kept-1"
    assert set(result.kept) == {
        "kept-1/made/notes.txt",
        "kept-1/made/vendor/hours.rpt",
        "kept-1/made/source.cpp",
        "kept-2/result.json",
    }
    assert (kept / "made" / "notes.txt").read_text() == "of the timing"
    assert (kept / "made" / "vendor" / "hours.rpt").read_text() == "5,123 LUT"
    assert (kept / "made" / "source.cpp").read_text() == "edited by hand"
    assert (made / "source.cpp").read_text() == "setting 2"
    assert sorted(path.name for path in made.iterdir()) == ["same.h", "source.cpp"]


def test_a_second_time_takes_another_folder_and_force_loses_nothing_either(flow):
    flow(1)
    for number in (1, 2):
        (flow.build / "made" / "notes.txt").write_text(f"notes {number}")
        flow(number, force=True)
    assert [(flow.build / f"kept-{n}" / "made" / "notes.txt").read_text() for n in (1, 2)] == ["notes 1", "notes 2"]


def test_nothing_is_kept_of_what_the_stage_itself_wrote_or_can_grow_again(flow):
    flow(1)
    (flow.build / "made" / "csim").mkdir()
    (flow.build / "made" / "csim" / "net.o").write_text("compiled")
    assert flow(2).kept == ()
    assert not list(flow.build.glob("kept-*"))


def test_without_a_record_only_what_is_not_written_again_is_kept(flow):
    """As after a run that was killed before its record was there."""
    flow(1)
    (flow.build / ".stages" / "stage.json").unlink()
    (flow.build / "made" / "notes.txt").write_text("notes")
    assert flow(1).kept == ("kept-1/made/notes.txt",)


def test_a_link_is_moved_and_what_it_leads_to_stays(flow, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "thesis.tex"
    elsewhere.write_text("text")
    flow(1)
    (flow.build / "made" / "thesis").symlink_to(elsewhere)
    assert flow(2).kept == ("kept-1/made/thesis",)
    assert (flow.build / "kept-1" / "made" / "thesis").read_text() == "text"
