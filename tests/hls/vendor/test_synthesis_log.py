"""Loops and warnings in logs of Vivado HLS and Vitis HLS, in the forms in which public logs have them."""

from siliconv.hls.vendor.synthesis_log import LoopResult, layers_by_config, read_log

TOP = """
    nnet::conv_2d_cl<layer8_t, layer2_t, config2>(layer8_out, layer2_out, w2, b2); // conv_1
    nnet::relu<layer2_t, layer3_t, relu_config3>(layer2_out, layer3_out); // relu_1
    nnet::window_pool<layer3_t, layer12_t, config12>(layer3_out, layer12_out); // pool_1
"""
LOG = """
INFO: [HLS 200-42] -- Implementing module 'conv_2d_cl_array_array_ap_fixed_18_8_5_3_0_4u_config2_s'
INFO: [SCHED 204-61] Pipelining loop 'ReadInputHeight_ReadInputWidth'.
WARNING: [SCHED 204-69] Unable to schedule 'store' operation on array 'res' due to limited memory ports.
INFO: [SCHED 204-61] Pipelining result : Target II = 1, Final II = 3, Depth = 6.
INFO: [HLS 200-42] -- Implementing module 'relu_array_array_ap_ufixed_6_0_4_0_0_4u_relu_config3_Pipeline_ReLUActLoop'
INFO: [HLS 200-1470] Pipelining result : Target II = NA, Final II = 1, Depth = 2, loop 'ReLUActLoop'
INFO: [v++ 200-1470] Pipelining result : Target II = 1, Final II = 1, Depth = 11, function 'dense'
INFO: [HLS 200-42] -- Implementing module 'window_pool_array_array_ap_ufixed_4u_config12_s'
INFO: [SCHED 204-61] Pipelining result: Target II: 1, Final II: 2, Depth: 9.
WARNING: [HLS 200-960] Cannot flatten loop 'Rows' (nnet_x.h:3:1) in function 'f'
WARNING: [HLS 200-960] Cannot flatten loop 'Cols' (nnet_x.h:4:1) in function 'f'
WARNING: [HLS 200-40] something else
WARNING: [HLS 214-104] Only for-loops and functions support the pipeline (nnet_x.h:9:9)
WARNING: [HLS 200-871] Estimated clock period (4.867 ns) exceeds the target
"""


def test_loops_belong_to_the_layers_whose_configurations_they_are_named_after():
    layers = layers_by_config(TOP)
    assert layers == {"config2": "conv_1", "relu_config3": "relu_1", "config12": "pool_1"}
    said = read_log(LOG.splitlines(), layers)
    conv, relu, dense, pool = said.loops
    assert conv == LoopResult(conv.module, "ReadInputHeight_ReadInputWidth", "conv_1", 1, 3, 6)
    assert (relu.layer, relu.name, relu.asked, relu.achieved, relu.depth) == ("relu_1", "ReLUActLoop", 0, 1, 2)
    assert (dense.name, dense.depth) == ("dense", 11)
    assert (pool.layer, pool.achieved, pool.depth) == ("pool_1", 2, 9), "config1 is not config12"


def test_warnings_that_matter_are_counted_with_their_first_text():
    said = read_log(LOG.splitlines(), {})
    counts = {code: count for code, (count, _) in said.warnings.items()}
    assert counts == {"SCHED 204-69": 1, "HLS 200-960": 2, "HLS 214-104": 1, "HLS 200-871": 1}
    assert "Cannot flatten loop 'Rows'" in said.warnings["HLS 200-960"][1]
    assert [loop.layer for loop in said.loops] == [""] * 4
    told = {one["code"]: one["what"] for one in said.as_json()["warnings"]}
    assert told["HLS 200-960"] == "a loop was not flattened"
    assert told["HLS 214-104"].startswith("a pragma was ignored")
    assert told["HLS 200-871"] == "the estimated period is longer than the clock's"
