// Words of many lanes into words of fewer, which divide them.
//
// Latency: 0. Throughput: a word out a cycle.
module narrower #(
    parameter int unsigned Width = 8,  // bits of a word out
    parameter int unsigned Parts = 2   // words out of a word in
) (
    input  logic                   clk_i,
    input  logic                   rst_i,
    input  logic                   valid_i,
    output logic                   ready_o,
    input  logic [Parts*Width-1:0] data_i,
    output logic                   valid_o,
    input  logic                   ready_i,
    output logic [      Width-1:0] data_o
);
  localparam int unsigned Bits = $clog2(Parts);
  logic [Bits-1:0] part_q;
  logic end_of_word;

  assign end_of_word = part_q == Bits'(Parts - 1);
  assign valid_o = valid_i;
  assign ready_o = ready_i & end_of_word;
  assign data_o = data_i[part_q*Width+:Width];
  always_ff @(posedge clk_i) begin
    if (rst_i) part_q <= '0;
    else if (valid_i & ready_i) part_q <= end_of_word ? '0 : part_q + 1'b1;
  end
endmodule
