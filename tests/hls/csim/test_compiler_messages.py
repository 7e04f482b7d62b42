"""A failed compilation is told by its first real message and a cause."""

from __future__ import annotations

import pytest

from siliconv.hls.csim.compiler_messages import first_message


@pytest.mark.parametrize(
    ("output", "where", "what", "cause"),
    [
        (
            "mkdir -p ../out\ng++ -O3 -c firmware/net.cpp -o ../out/net.o\nIn file included from firmware/net.cpp:3:\n"
            "firmware/defines.h:12:1: error: 'tyqedef' does not name a type; did you mean 'typedef'?\n"
            "firmware/net.cpp:9:5: error: 'layer2_t' was not declared in this scope\n"
            "make: *** [Makefile:22: csim/net.o] Error 1\n",
            "firmware/defines.h:12:1",
            "tyqedef",
            "edited",
        ),
        (
            "firmware/nnet_utils/nnet_conv.h:5:10: fatal error: ap_fixed.h: No such file or directory\n",
            "nnet_conv.h:5:10",
            "ap_fixed.h",
            "not whole",
        ),
        (
            "g++: fatal error: Killed signal terminated program cc1plus\ncompilation terminated.\n"
            "make: *** [Makefile:22: csim/net.o] Error 1\n",
            "make",
            "Killed",
            "memory",
        ),
        (
            "x.h:3:5: error: static assertion failed: too wide\nx.h:3:5: note: the comparison reduces to\n",
            "x.h:3:5",
            "too wide",
            "refuses",
        ),
        ("/tmp/cc.s: No space left on device\n", "make", "No space", "full"),
        ("/usr/bin/ld: net.o: undefined reference to `f()'\n", "make", "f()", "belong"),
        ("g++: error: unrecognized command-line option '-fno-such'\n", "make", "-fno-such", "option"),
        ("make: *** No rule to make target 'firmware/net.cpp'.  Stop.\n", "make", "net.cpp", "not whole"),
        ("", "make", "no output", "no known cause"),
    ],
)
def test_the_first_real_message_and_its_cause(output, where, what, cause):
    found = first_message(output)
    assert found.where.endswith(where)
    assert "\n" not in found.where
    assert what in found.what
    assert cause in found.cause
    assert found.fix
