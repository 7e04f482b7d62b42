// The sum of some terms, a register a level.
//
// Function:   sum of `Count` signed terms, modulo 2^Width. Latency: ceil(log2 Count) cycles. Throughput: a sum a cycle.
module adder_tree #(
    parameter int unsigned Count = 4,
    parameter int unsigned Width = 8
) (
    input  logic                   clk_i,
    input  logic [Count*Width-1:0] terms_i,
    output logic [      Width-1:0] sum_o
);
  if (Count == 1) begin : gen_leaf
    logic unused;
    assign unused = clk_i;
    assign sum_o = terms_i;
  end else begin : gen_level
    localparam int unsigned Half = (Count + 1) / 2;
    logic [Half*Width-1:0] half_q;
    for (genvar n = 0; n < Half; n++) begin : gen_sum
      if (2 * n + 1 < Count) begin : gen_two
        always_ff @(posedge clk_i) half_q[n*Width+:Width] <= terms_i[2*n*Width+:Width] + terms_i[(2*n+1)*Width+:Width];
      end else begin : gen_one
        always_ff @(posedge clk_i) half_q[n*Width+:Width] <= terms_i[2*n*Width+:Width];
      end
    end
    adder_tree #(
        .Count(Half),
        .Width(Width)
    ) u_tree (
        .clk_i,
        .terms_i(half_q),
        .sum_o
    );
  end
endmodule
