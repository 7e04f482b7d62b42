// Words of few lanes into words of more, which they divide.
//
// Function:   keeps the first words; the last one goes out with them. Latency: 0. Throughput: a word in a cycle.
module wider #(
    parameter int unsigned Width = 8,  // bits of a word in
    parameter int unsigned Parts = 2   // words in of a word out
) (
    input  logic                   clk_i,
    input  logic                   rst_i,
    input  logic                   valid_i,
    output logic                   ready_o,
    input  logic [      Width-1:0] data_i,
    output logic                   valid_o,
    input  logic                   ready_i,
    output logic [Parts*Width-1:0] data_o
);
  localparam int unsigned Bits = $clog2(Parts);
  logic [Bits-1:0] part_q;
  logic [(Parts-1)*Width-1:0] kept_q;
  logic end_of_word;

  assign end_of_word = part_q == Bits'(Parts - 1);
  assign valid_o = valid_i & end_of_word;
  assign ready_o = ready_i | ~end_of_word;
  assign data_o = {data_i, kept_q};
  for (genvar p = 0; p < Parts - 1; p++) begin : gen_part
    always_ff @(posedge clk_i) begin
      if (valid_i & part_q == Bits'(p)) kept_q[p*Width+:Width] <= data_i;
    end
  end
  always_ff @(posedge clk_i) begin
    if (rst_i) part_q <= '0;
    else if (valid_i & ready_o) part_q <= end_of_word ? '0 : part_q + 1'b1;
  end
endmodule
