// A signed product between registers, as the multipliers of FPGAs have them: a tool moves them into the block.
//
// Function:   product = a * b. Latency: 2 cycles. Throughput: a product a cycle.
module multiply #(
    parameter int unsigned AWidth = 18,
    parameter int unsigned BWidth = 18
) (
    input  logic                     clk_i,
    input  logic [       AWidth-1:0] a_i,
    input  logic [       BWidth-1:0] b_i,
    output logic [AWidth+BWidth-1:0] product_o
);
  logic signed [AWidth-1:0] a_q;
  logic signed [BWidth-1:0] b_q;
  always_ff @(posedge clk_i) begin
    a_q <= a_i;
    b_q <= b_i;
    product_o <= a_q * b_q;
  end
endmodule
