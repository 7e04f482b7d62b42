// Maximum or average over a whole image, channel by channel, without keeping the image.
//
// Function:   a memory of one value a word of the pixel takes each word in as it comes; with the last pixel the
//             results leave, through divide.sv (average) and finish.sv.
// Latency:    3 cycles (average: + 3) + finish.sv's, from the last word that a result needs.
// Throughput: a word a cycle.
module global_pool #(
    parameter int unsigned Lanes = 1,
    parameter int unsigned Words = 1,   // of a pixel
    parameter int unsigned Pixels = 1,  // of an image
    parameter bit Average = 0,
    parameter int unsigned XWidth = 8,
    parameter bit XSigned = 0,
    parameter int unsigned SumWidth = 8,  // of the sum after the shift; XWidth where it is a maximum
    parameter bit SumSigned = 0,
    parameter int unsigned Shift = 0,
    parameter int unsigned ReciprocalWidth = 1,
    parameter logic [ReciprocalWidth-1:0] Reciprocal = 1,
    parameter int unsigned Places = 0,
    parameter int unsigned Width = 8,  // of the maximum or average
    // finish.sv
    parameter bit Requantize = 0,
    parameter bit InSigned = 1,
    parameter int Drop = 0,
    parameter bit Relu = 0,
    parameter int unsigned Rounding = 0,
    parameter int unsigned Overflow = 0,
    parameter int unsigned OutWidth = 8,
    parameter bit OutSigned = 1,
    parameter int unsigned LogDepth = 3
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
  localparam int unsigned WordBits = Words > 1 ? $clog2(Words) : 1;
  localparam int unsigned PixelBits = Pixels > 1 ? $clog2(Pixels) : 1;
  logic [WordBits-1:0] word_q, word1_q;
  logic [PixelBits-1:0] pixel_q;
  logic word_end, pixel_end, take, free;
  logic take1_q, first1_q, put1_q, put2_q, put;
  logic [Lanes*XWidth-1:0] x_q;
  logic [Lanes*Width-1:0] result;

  assign word_end = word_q == WordBits'(Words - 1);
  assign pixel_end = pixel_q == PixelBits'(Pixels - 1);
  assign ready_o = free | ~pixel_end;
  assign take = valid_i & ready_o;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      word_q <= '0;
      pixel_q <= '0;
      take1_q <= 1'b0;
      put1_q <= 1'b0;
      put2_q <= 1'b0;
    end else begin
      take1_q <= take;
      put1_q <= take & pixel_end;
      put2_q <= put1_q;
      if (take) begin
        word_q <= word_end ? '0 : word_q + 1'b1;
        if (word_end) pixel_q <= pixel_end ? '0 : pixel_q + 1'b1;
      end
    end
  end
  always_ff @(posedge clk_i) begin
    word1_q <= word_q;
    first1_q <= pixel_q == '0;
    x_q <= data_i;
  end

  // A word meets its value again Words cycles later at the earliest; one alone stands in a register.
  logic [Lanes*SumWidth-1:0] so_far, next, total_q;
  if (Words == 1) begin : gen_register
    logic unused;
    assign unused = word1_q;
    assign so_far = total_q;
    always_ff @(posedge clk_i) if (take1_q) total_q <= next;
  end else begin : gen_memory
    (* no_rw_check *) logic [Lanes*SumWidth-1:0] totals[Words];
    logic [Lanes*SumWidth-1:0] read_q;
    assign so_far = read_q;
    always_ff @(posedge clk_i) begin
      read_q  <= totals[word_q];
      total_q <= next;
      if (take1_q) totals[word1_q] <= next;
    end
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [XWidth-1:0] lane;
    logic [SumWidth-1:0] old;
    assign lane = x_q[l*XWidth+:XWidth];
    assign old  = so_far[l*SumWidth+:SumWidth];
    if (Average) begin : gen_sum
      logic [SumWidth-1:0] term;
      assign term = SumWidth'($signed({XSigned & lane[XWidth-1], lane})) << Shift;
      assign next[l*SumWidth+:SumWidth] = first1_q ? term : old + term;
      divide #(
          .Width(SumWidth),
          .Signed(SumSigned),
          .ReciprocalWidth(ReciprocalWidth),
          .Places(Places),
          .OutWidth(Width)
      ) u_divide (
          .clk_i,
          .total_i(total_q[l*SumWidth+:SumWidth]),
          .reciprocal_i(Reciprocal),
          .data_o(result[l*Width+:Width])
      );
    end else begin : gen_most
      logic more;
      assign more = XSigned ? $signed(lane) > $signed(old) : lane > old;
      assign next[l*SumWidth+:SumWidth] = (first1_q | more) ? lane : old;
      assign result[l*Width+:Width] = total_q[l*SumWidth+:SumWidth];
    end
  end

  if (Average) begin : gen_late
    logic [2:0] late_q;
    always_ff @(posedge clk_i) begin
      if (rst_i) late_q <= '0;
      else late_q <= {late_q[1:0], put2_q};
    end
    assign put = late_q[2];
  end else begin : gen_now
    assign put = put2_q;
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
      .take_i(take & pixel_end),
      .free_o(free),
      .put_i (put),
      .data_i(result),
      .valid_o,
      .ready_i,
      .data_o
  );
endmodule
