// The products of mac.sv, two of them in one multiplier, with their sums.
//
// Function:   sum_o[o] = sum over i of x[i] * weight[o][i]; x is not negative, the weights are signed, Pout is even.
//             (upper << S | lower') * x has lower' * x in its low S = XWidth + WeightWidth bits, and upper * x above,
//             where lower' = lower + 2^(WeightWidth-1) is the lower weight with its sign bit inverted.
//             The multiplier takes 2 * WeightWidth + XWidth bits (18 on ECP5, 25 on 7 series, 27 on UltraScale+).
// Latency:    3 + ceil(log2 Pin) cycles. Throughput: a tap a cycle.
module mac_packed #(
    parameter int unsigned Pin = 1,
    parameter int unsigned Pout = 2,
    parameter int unsigned Logic = 0,
    parameter int unsigned XWidth = 6,
    parameter int unsigned WeightWidth = 6,
    parameter int unsigned SumWidth = 13
) (
    input  logic                            clk_i,
    input  logic [          Pin*XWidth-1:0] x_i,
    input  logic [Pout*Pin*WeightWidth-1:0] weights_i,
    output logic [       Pout*SumWidth-1:0] sum_o
);
  localparam int unsigned Low = XWidth + WeightWidth;
  localparam int unsigned Pair = Low + WeightWidth;

  // ---- the sum of the activations, one for all results
  logic [Pin*XWidth-1:0] x_q;
  logic [Pin*SumWidth-1:0] x_wide_q;
  always_ff @(posedge clk_i) x_q <= x_i;
  logic [SumWidth-1:0] x_sum;
  for (genvar i = 0; i < Pin; i++) begin : gen_x
    always_ff @(posedge clk_i) x_wide_q[i*SumWidth+:SumWidth] <= SumWidth'(x_q[i*XWidth+:XWidth]);
  end
  adder_tree #(
      .Count(Pin),
      .Width(SumWidth)
  ) u_x_tree (
      .clk_i,
      .terms_i(x_wide_q),
      .sum_o  (x_sum)
  );

  for (genvar p = 0; p < Pout / 2; p++) begin : gen_pair
    logic [Pin*SumWidth-1:0] lower_terms, upper_terms;
    logic [SumWidth-1:0] lower, upper;
    for (genvar i = 0; i < Pin; i++) begin : gen_product
      logic [WeightWidth-1:0] w_low, w_high;
      logic [Pair+XWidth:0] product;
      assign w_low = weights_i[(2*p*Pin+i)*WeightWidth+:WeightWidth] ^ (WeightWidth'(1) << (WeightWidth - 1));
      assign w_high = weights_i[((2*p+1)*Pin+i)*WeightWidth+:WeightWidth];
      product #(
          .AWidth(Pair),
          .BWidth(XWidth + 1),
          .Logic (p * Pin + i < Logic)
      ) u_product (
          .clk_i,
          .a_i({w_high, {XWidth{1'b0}}, w_low}),
          .b_i({1'b0, x_i[i*XWidth+:XWidth]}),
          .product_o(product)
      );
      assign lower_terms[i*SumWidth+:SumWidth] = SumWidth'(product[Low-1:0]);
      assign upper_terms[i*SumWidth+:SumWidth] = SumWidth'($signed(product[Pair+XWidth:Low]));
    end
    adder_tree #(
        .Count(Pin),
        .Width(SumWidth)
    ) u_lower_tree (
        .clk_i,
        .terms_i(lower_terms),
        .sum_o  (lower)
    );
    adder_tree #(
        .Count(Pin),
        .Width(SumWidth)
    ) u_upper_tree (
        .clk_i,
        .terms_i(upper_terms),
        .sum_o  (upper)
    );
    always_ff @(posedge clk_i) begin
      sum_o[2*p*SumWidth+:SumWidth] <= lower - (x_sum << (WeightWidth - 1));
      sum_o[(2*p+1)*SumWidth+:SumWidth] <= upper;
    end
  end
endmodule
