// Convolution, depthwise convolution and dense layer, with the Requantize behind it.
//
// Function:   window.sv, its taps times the weights of rom.sv in mac.sv, then finish.sv. A word in has Pin lanes (Pout
//             with Lanewise), a word out Pout. The order of the weights' words is that of the taps: repeat, kernel row,
//             kernel column, word of the pixel; a word holds the weight of result lane o and input lane i at
//             o * Pin + i. Pixels > 1: so many output pixels of a row share each word of weights; their words leave
//             in the usual order (pixel_order.sv).
// Latency:    taps + 7 + ceil(log2 Pin) + Pack + finish.sv's, from the start of a result to its word.
// Throughput: see window.sv; a result of all Pixels takes KernelRows * KernelColumns * Words cycles (without Words with
//             Lanewise).
module mvu #(
    parameter int unsigned Pin = 1,
    parameter int unsigned Pout = 1,
    parameter bit Lanewise = 0,
    parameter bit Pack = 0,
    parameter int unsigned Logic = 0,  // multipliers that are made of look-up tables, the first ones of each pixel's
    parameter int unsigned Pixels = 1,
    parameter int unsigned XWidth = 8,
    parameter bit XSigned = 0,
    parameter int unsigned WeightWidth = 6,
    parameter int unsigned Width = 16,
    parameter int unsigned Shift = 0,
    parameter WeightFile = "weights.hex",
    parameter BiasFile = "bias.hex",
    parameter int unsigned WeightBank = 512,  // words of a bank of weights
    parameter int unsigned SmallRom = 32,  // see rom_bank.sv
    // window.sv
    parameter int unsigned Rows = 1,
    parameter int unsigned Columns = 1,
    parameter int unsigned Words = 1,
    parameter int unsigned PadTop = 0,
    parameter int unsigned PadBottom = 0,
    parameter int unsigned PadLeft = 0,
    parameter int unsigned PadRight = 0,
    parameter int unsigned KernelRows = 1,
    parameter int unsigned KernelColumns = 1,
    parameter int unsigned StrideRows = 1,
    parameter int unsigned StrideColumns = 1,
    parameter int unsigned OutRows = 1,
    parameter int unsigned OutColumns = 1,
    parameter int unsigned Repeats = 1,
    parameter int unsigned LogRing = 4,
    // finish.sv
    parameter bit Requantize = 0,
    parameter bit InSigned = 1,
    parameter int Drop = 0,
    parameter bit Relu = 0,
    parameter int unsigned Rounding = 0,
    parameter int unsigned Overflow = 0,
    parameter int unsigned OutWidth = 16,
    parameter bit OutSigned = 1,
    parameter int unsigned LogDepth = 4,
    localparam int unsigned XLanes = Lanewise ? Pout : Pin
) (
    input  logic                     clk_i,
    input  logic                     rst_i,
    input  logic                     valid_i,
    output logic                     ready_o,
    input  logic [XLanes*XWidth-1:0] data_i,
    output logic                     valid_o,
    input  logic                     ready_i,
    output logic [Pout*OutWidth-1:0] data_o
);
  localparam int unsigned Taps = KernelRows * KernelColumns * (Lanewise ? 1 : Words);
  logic start, issue, tap, first, last, unused;
  logic pixel;
  assign unused = pixel;
  logic [Pixels*XLanes*XWidth-1:0] x;
  logic [Pout*Pin*WeightWidth-1:0] weights;
  logic [Pout*Width-1:0] bias;
  logic [Pixels-1:0] free, bias_step, valid, ready;
  logic [Pixels*Pout*OutWidth-1:0] result;

  window #(
      .Width(XLanes * XWidth),
      .Rows(Rows),
      .Columns(Columns),
      .Words(Words),
      .PadTop(PadTop),
      .PadBottom(PadBottom),
      .PadLeft(PadLeft),
      .PadRight(PadRight),
      .KernelRows(KernelRows),
      .KernelColumns(KernelColumns),
      .StrideRows(StrideRows),
      .StrideColumns(StrideColumns),
      .OutRows(OutRows),
      .OutColumns(OutColumns),
      .Repeats(Repeats),
      .Pixels(Pixels),
      .Lanewise(Lanewise),
      .LogRing(LogRing)
  ) u_window (
      .clk_i,
      .rst_i,
      .valid_i,
      .ready_o,
      .data_i,
      .free_i (&free),
      .start_o(start),
      .issue_o(issue),
      .pixel_o(pixel),
      .tap_o  (tap),
      .first_o(first),
      .last_o (last),
      .data_o (x)
  );

  rom #(
      .Width(Pout * Pin * WeightWidth),
      .Depth(Repeats * Taps),
      .BankDepth(WeightBank),
      .Small(SmallRom),
      .File(WeightFile)
  ) u_weights (
      .clk_i,
      .rst_i,
      .step_i(issue),
      .data_o(weights)
  );

  rom #(
      .Width(Pout * Width),
      .Depth(Repeats),
      .Small(SmallRom),
      .File (BiasFile)
  ) u_bias (
      .clk_i,
      .rst_i,
      .step_i(bias_step[0]),
      .data_o(bias)
  );

  for (genvar p = 0; p < Pixels; p++) begin : gen_pixel
    logic put;
    logic [Pout*Width-1:0] total;

    mac #(
        .Pin(Pin),
        .Pout(Pout),
        .Lanewise(Lanewise),
        .Pack(Pack),
        .Logic(Logic),
        .XWidth(XWidth),
        .XSigned(XSigned),
        .WeightWidth(WeightWidth),
        .Width(Width),
        .Shift(Shift)
    ) u_mac (
        .clk_i,
        .rst_i,
        .tap_i(tap),
        .first_i(first),
        .last_i(last),
        .x_i(x[p*XLanes*XWidth+:XLanes*XWidth]),
        .weights_i(weights),
        .start_i(start),
        .bias_step_o(bias_step[p]),
        .bias_i(bias),
        .put_o(put),
        .data_o(total)
    );

    finish #(
        .Lanes(Pout),
        .Requantize(Requantize),
        .InWidth(Width),
        .InSigned(InSigned),
        .Drop(Drop),
        .Relu(Relu),
        .Rounding(Rounding),
        .Overflow(Overflow),
        .OutWidth(OutWidth),
        .OutSigned(OutSigned),
        .LogDepth(LogDepth)
    ) u_finish (
        .clk_i,
        .rst_i,
        .take_i(start),
        .free_o(free[p]),
        .put_i (put),
        .data_i(total),
        .valid_o(valid[p]),
        .ready_i(ready[p]),
        .data_o(result[p*Pout*OutWidth+:Pout*OutWidth])
    );
  end

  if (Pixels == 1) begin : gen_one_pixel
    assign valid_o = valid;
    assign ready = ready_i;
    assign data_o = result;
  end else begin : gen_order
    logic unused_steps;
    assign unused_steps = ^bias_step;  // the same of every pixel
    pixel_order #(
        .Pixels(Pixels),
        .Words(Repeats),
        .Width(Pout * OutWidth)
    ) u_order (
        .clk_i,
        .rst_i,
        .valid_i(valid),
        .ready_o(ready),
        .data_i(result),
        .valid_o,
        .ready_i,
        .data_o
    );
  end
endmodule
