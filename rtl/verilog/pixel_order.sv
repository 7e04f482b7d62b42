// The words of pixels that were computed at the same time, one pixel behind the other.
//
// Function:   `Words` words of stream 0, then of stream 1 and so on. Latency: 0 cycles. Throughput: a word a cycle.
module pixel_order #(
    parameter int unsigned Pixels = 2,
    parameter int unsigned Words = 1,  // of a pixel
    parameter int unsigned Width = 8   // bits of a word
) (
    input  logic                    clk_i,
    input  logic                    rst_i,
    input  logic [      Pixels-1:0] valid_i,
    output logic [      Pixels-1:0] ready_o,
    input  logic [Pixels*Width-1:0] data_i,
    output logic                    valid_o,
    input  logic                    ready_i,
    output logic [       Width-1:0] data_o
);
  localparam int unsigned WordBits = Words > 1 ? $clog2(Words) : 1;
  logic [Pixels-1:0] turn_q;  // one bit is set
  logic [WordBits-1:0] word_q;

  always_comb begin
    data_o = '0;
    for (int unsigned p = 0; p < Pixels; p++) if (turn_q[p]) data_o = data_o | data_i[p*Width+:Width];
  end
  assign valid_o = |(turn_q & valid_i);
  assign ready_o = turn_q & {Pixels{ready_i}};

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      turn_q <= Pixels'(1);
      word_q <= '0;
    end else if (valid_o & ready_i) begin
      word_q <= word_q == WordBits'(Words - 1) ? '0 : word_q + 1'b1;
      if (word_q == WordBits'(Words - 1)) turn_q <= {turn_q[Pixels-2:0], turn_q[Pixels-1]};
    end
  end
endmodule
