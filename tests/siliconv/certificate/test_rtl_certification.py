"""The certificate of the SystemVerilog: exact as written, and what is seen of edits, before and after."""

import json
import re

import pytest
from rtl_designs import skip_without_verilator
from small_network import small_network
from strategies import input_codes

from siliconv.actions.verify import verify_project
from siliconv.certificate.certificate import from_json
from siliconv.certificate.rtl_certification import RTL_CERTIFICATE, certify_rtl, verify_rtl
from siliconv.errors import WorkSaysNoError
from siliconv.hardware.claims import Ground
from siliconv.network import network_file
from siliconv.rtl.configuration import RtlConfig
from siliconv.rtl.design.rtl_design import design_of
from siliconv.rtl.writing.rtl_project import write_project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """A project folder with a written core, and a function that certifies it."""
    skip_without_verilator()
    folder = tmp_path_factory.mktemp("project")
    build = folder / "build"
    (build / "rtl").mkdir(parents=True)
    network = small_network()
    network_file.save(network, build / "network")
    design = design_of(network, RtlConfig(interval=4))
    write_project([design], build / "rtl")

    def certify():
        vectors = {"test images": input_codes(network, 1, 5), "corners": input_codes(network, 2, 2)}
        found, evidence = certify_rtl(design, build / "rtl", vectors, work=build / ".work")
        (build / RTL_CERTIFICATE).write_text(json.dumps(found.as_json()))
        return found, evidence

    return folder, network, certify


@pytest.fixture
def changed(certified):
    """A function that changes a file of the core; the test's end puts it back."""
    folder = certified[0] / "build" / "rtl"
    before = {}

    def change(name, edit):
        path = folder / name
        before[path] = path.read_text() if path.exists() else None
        text = edit(before[path])
        if text is None:
            path.unlink()
        else:
            path.write_text(text)

    yield change
    for path, text in before.items():
        if text is None:
            path.unlink()
        else:
            path.write_text(text)


def other_weight(text):
    first, *rest = text.split()
    return "\n".join([f"{int(first, 16) ^ 1:0{len(first)}x}", *rest]) + "\n"


def test_as_written_it_is_exact_and_holds(certified):
    folder, _, certify = certified
    found, evidence = certify()
    assert found.exact
    assert found.edited == ()
    assert re.match(r"Verilator \d+\.\d+", found.versions["verilator"])
    assert from_json(json.loads(json.dumps(found.as_json()))) == found
    assert {claim.ground for claim in found.claims} == set(Ground)
    assert all(claim.count for claim in found.claims)
    assert [layer.name for layer in found.layers] == ["pixels", "relu"]
    # Two runs of 7 images, four words in and one out each.
    assert evidence.words == 2 * 7 * (4 + 1)
    verification = verify_project(folder)
    assert verification.holds
    assert verification.name == RTL_CERTIFICATE
    verification.require()


def test_an_edited_weight_is_seen_before_and_after(certified, changed):
    folder, _, certify = certified
    certify()
    changed("relu_weights.hex", other_weight)
    verification = verify_project(folder)
    assert [change.what for change in verification.changes] == ["rtl/relu_weights.hex"]
    with pytest.raises(WorkSaysNoError) as caught:
        verification.require()
    assert caught.value.code == "VERIFY-CHANGED"
    assert "--until rtlsim" in caught.value.fix
    found, _ = certify()
    assert not found.exact
    assert found.edited == ("relu_weights.hex: changed",)
    failed = {claim.ground for claim in found.failed}
    assert failed == {Ground.TEST, Ground.COMPARISON}
    with pytest.raises(WorkSaysNoError) as caught:
        verify_project(folder).require()
    assert caught.value.code == "VERIFY-NOT-EXACT"


def test_an_edited_module_that_computes_the_same_is_named(certified, changed):
    _, _, certify = certified
    changed("library/mac.sv", lambda text: text + "// mine\n")
    found, _ = certify()
    assert found.exact
    assert found.edited == ("library/mac.sv: changed",)


def test_what_is_added_or_missing_is_seen(certified, changed):
    folder, network, certify = certified
    certify()
    changed("library/more.sv", lambda text: "module more; endmodule\n")
    content = json.loads((folder / "build" / RTL_CERTIFICATE).read_text())
    found = verify_rtl(content, folder / "build", network)
    assert [(change.what, change.found) for change in found] == [("rtl/library/more.sv", "added")]
    assert [change.what for change in verify_rtl(content, folder / "build", None)] == ["rtl/library/more.sv", "network"]
