// Maximum or average over a window, and what moves words without computing: padding and branches (windows of one).
//
// Function:   Average = 0: the largest of the window's values, lane by lane. Average = 1: their sum, shifted, divided
//             by the number of real elements (divide.sv); the reciprocals come from a ROM, one an output pixel, where
//             Reciprocals > 1. Then finish.sv.
// Latency:    taps + 2 (average: + 3) + finish.sv's, from the start of a result to its word.
// Throughput: see window.sv; a result takes KernelRows * KernelColumns cycles.
module pool #(
    parameter int unsigned Lanes = 1,
    parameter bit Average = 0,
    parameter int unsigned XWidth = 8,
    parameter bit XSigned = 0,
    parameter int unsigned SumWidth = 8,  // of the sum, after the shift
    parameter bit SumSigned = 0,
    parameter int unsigned Shift = 0,
    parameter int unsigned Reciprocals = 1,
    parameter int unsigned ReciprocalWidth = 1,
    parameter logic [ReciprocalWidth-1:0] Reciprocal = 1,  // where there is one
    parameter ReciprocalFile = "reciprocals.hex",
    parameter int unsigned SmallRom = 32,  // see rom_bank.sv
    parameter int unsigned Places = 0,
    parameter int unsigned Width = 8,  // of the maximum or average
    // window.sv
    parameter int unsigned Rows = 1,
    parameter int unsigned Columns = 1,
    parameter int unsigned Words = 1,
    parameter int unsigned PadTop = 0,
    parameter int unsigned PadBottom = 0,
    parameter int unsigned PadLeft = 0,
    parameter int unsigned PadRight = 0,
    parameter logic [XWidth-1:0] PadCode = '0,
    parameter int unsigned KernelRows = 1,
    parameter int unsigned KernelColumns = 1,
    parameter int unsigned StrideRows = 1,
    parameter int unsigned StrideColumns = 1,
    parameter int unsigned OutRows = 1,
    parameter int unsigned OutColumns = 1,
    parameter int unsigned LogRing = 4,
    // finish.sv
    parameter bit Requantize = 0,
    parameter bit InSigned = 1,
    parameter int Drop = 0,
    parameter bit Relu = 0,
    parameter int unsigned Rounding = 0,
    parameter int unsigned Overflow = 0,
    parameter int unsigned OutWidth = 8,
    parameter bit OutSigned = 1,
    parameter int unsigned LogDepth = 4
) (
    input  logic                      clk_i,
    input  logic                      rst_i,
    input  logic                      valid_i,
    output logic                      ready_o,
    input  logic [  Lanes*XWidth-1:0] data_i,
    output logic                      valid_o,
    input  logic                      ready_i,
    output logic [Lanes*OutWidth-1:0] data_o
);
  logic free, start, issue, pixel, tap, first, last, put, unused;
  assign unused = issue ^ pixel;  // pixel only drives a ROM of reciprocals
  logic [Lanes*XWidth-1:0] x;
  logic [Lanes*Width-1:0] result;

  window #(
      .Width(Lanes * XWidth),
      .Rows(Rows),
      .Columns(Columns),
      .Words(Words),
      .PadTop(PadTop),
      .PadBottom(PadBottom),
      .PadLeft(PadLeft),
      .PadRight(PadRight),
      .PadWord({Lanes{PadCode}}),
      .KernelRows(KernelRows),
      .KernelColumns(KernelColumns),
      .StrideRows(StrideRows),
      .StrideColumns(StrideColumns),
      .OutRows(OutRows),
      .OutColumns(OutColumns),
      .Repeats(Words),
      .Lanewise(1),
      .LogRing(LogRing)
  ) u_window (
      .clk_i,
      .rst_i,
      .valid_i,
      .ready_o,
      .data_i,
      .free_i (free),
      .start_o(start),
      .issue_o(issue),
      .pixel_o(pixel),
      .tap_o  (tap),
      .first_o(first),
      .last_o (last),
      .data_o (x)
  );

  logic done_q;
  always_ff @(posedge clk_i) begin
    if (rst_i) done_q <= 1'b0;
    else done_q <= tap & last;
  end

  if (Average) begin : gen_average
    logic [ReciprocalWidth-1:0] reciprocal;
    logic [2:0] put_q;
    always_ff @(posedge clk_i) begin
      if (rst_i) put_q <= '0;
      else put_q <= {put_q[1:0], done_q};
    end
    assign put = put_q[2];

    if (Reciprocals == 1) begin : gen_one_count
      assign reciprocal = Reciprocal;
    end else begin : gen_counts
      // Wanted four cycles after the last tap's issue; the next one is asked for behind the last result of a pixel.
      rom #(
          .Width(ReciprocalWidth),
          .Depth(Reciprocals),
          .Small(SmallRom),
          .File (ReciprocalFile)
      ) u_reciprocals (
          .clk_i,
          .rst_i,
          .step_i(pixel),
          .data_o(reciprocal)
      );
    end

    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      logic [XWidth-1:0] lane;
      logic [SumWidth-1:0] term, total_q;
      assign lane = x[l*XWidth+:XWidth];
      assign term = SumWidth'($signed({XSigned & lane[XWidth-1], lane})) << Shift;
      always_ff @(posedge clk_i) if (tap) total_q <= first ? term : total_q + term;
      divide #(
          .Width(SumWidth),
          .Signed(SumSigned),
          .ReciprocalWidth(ReciprocalWidth),
          .Places(Places),
          .OutWidth(Width)
      ) u_divide (
          .clk_i,
          .total_i(total_q),
          .reciprocal_i(reciprocal),
          .data_o(result[l*Width+:Width])
      );
    end
  end else begin : gen_maximum
    assign put = done_q;
    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      logic [XWidth-1:0] lane, most_q;
      logic more;
      assign lane = x[l*XWidth+:XWidth];
      assign more = XSigned ? $signed(lane) > $signed(most_q) : lane > most_q;
      always_ff @(posedge clk_i) if (tap & (first | more)) most_q <= lane;
      assign result[l*Width+:Width] = most_q;
    end
  end

  finish #(
      .Lanes(Lanes),
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
      .free_o(free),
      .put_i (put),
      .data_i(result),
      .valid_o,
      .ready_i,
      .data_o
  );
endmodule
