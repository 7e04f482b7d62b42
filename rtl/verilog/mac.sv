// Multiply and accumulate: POUT results at a time, PIN products of each a cycle.
//
// Function:   result = bias + the sum over the taps of a result, from the one with `first_i` to the one with `last_i`.
//             Lanewise = 1: result lane o multiplies activation lane o (depthwise), and Pin is 1.
//             Pack = 1: two products of one activation in one multiplier: the upper weight above the lower one, whose
//             sign bit is inverted, so that it is not negative and nothing is borrowed from above. What this adds to
//             the lower results, 2^(WeightWidth-1) times the activations' sum, is subtracted again.
//             The accumulator has the width that the network proves for every partial sum.
// Latency:    5 + ceil(log2 Pin) (+ 1 with Pack) cycles from `tap_i` with `last_i` to `put_o`. Weights come two cycles
//             after the activations that they belong to.
// Throughput: a tap a cycle.
module mac #(
    parameter int unsigned Pin = 1,
    parameter int unsigned Pout = 1,
    parameter bit Lanewise = 0,
    parameter bit Pack = 0,
    parameter int unsigned Logic = 0,  // multipliers that are made of look-up tables, the first ones
    parameter int unsigned XWidth = 8,
    parameter bit XSigned = 0,
    parameter int unsigned WeightWidth = 6,
    parameter int unsigned Width = 16,  // of the accumulator
    parameter int unsigned Shift = 0,  // zeros behind a product
    localparam int unsigned XLanes = Lanewise ? Pout : Pin
) (
    input  logic                            clk_i,
    input  logic                            rst_i,
    input  logic                            tap_i,
    input  logic                            first_i,
    input  logic                            last_i,
    input  logic [       XLanes*XWidth-1:0] x_i,
    input  logic [Pout*Pin*WeightWidth-1:0] weights_i,  // two cycles after x_i
    input  logic                            start_i,  // two cycles before the first tap
    output logic                            bias_step_o,  // the bias is wanted four cycles later
    input  logic [          Pout*Width-1:0] bias_i,
    output logic                            put_o,
    output logic [          Pout*Width-1:0] data_o
);
  localparam int unsigned Levels = $clog2(Pin);
  localparam int unsigned Stages = 4 + Levels + (Pack ? 1 : 0);  // before the accumulator
  localparam int unsigned ProductWidth = XWidth + WeightWidth + 1;
  localparam int unsigned SumWidth = ProductWidth + Levels;

  // ---- operands: the activations wait for their weights
  logic [XLanes*XWidth-1:0] x1_q, x_q;
  always_ff @(posedge clk_i) begin
    x1_q <= x_i;
    x_q  <= x1_q;
  end

  // ---- flags beside the data
  logic [Stages-1:0] tap_q, first_q, last_q;
  always_ff @(posedge clk_i) begin
    if (rst_i) tap_q <= '0;
    else tap_q <= Stages'({tap_q, tap_i});
    first_q <= Stages'({first_q, first_i});
    last_q  <= Stages'({last_q, last_i});
  end

  // ---- products and their sums, a register a level
  logic [Pout*SumWidth-1:0] sum;
  if (Pack) begin : gen_packed
    mac_packed #(
        .Pin(Pin),
        .Pout(Pout),
        .Logic(Logic),
        .XWidth(XWidth),
        .WeightWidth(WeightWidth),
        .SumWidth(SumWidth)
    ) u_packed (
        .clk_i,
        .x_i(x_q),
        .weights_i,
        .sum_o(sum)
    );
  end else begin : gen_plain
    for (genvar o = 0; o < Pout; o++) begin : gen_result
      logic [Pin*SumWidth-1:0] products;
      for (genvar i = 0; i < Pin; i++) begin : gen_product
        localparam int unsigned XLane = Lanewise ? o : i;
        logic [XWidth-1:0] x;
        logic [WeightWidth-1:0] w;
        logic [ProductWidth-1:0] product;
        assign x = x_q[XLane*XWidth+:XWidth];
        assign w = weights_i[(o*Pin+i)*WeightWidth+:WeightWidth];
        product #(
            .AWidth(WeightWidth),
            .BWidth(XWidth + 1),
            .Logic (o * Pin + i < Logic)
        ) u_product (
            .clk_i,
            .a_i(w),
            .b_i({XSigned & x[XWidth-1], x}),
            .product_o(product)
        );
        assign products[i*SumWidth+:SumWidth] = SumWidth'($signed(product));
      end
      adder_tree #(
          .Count(Pin),
          .Width(SumWidth)
      ) u_tree (
          .clk_i,
          .terms_i(products),
          .sum_o  (sum[o*SumWidth+:SumWidth])
      );
    end
  end

  // ---- accumulators
  logic [Stages-3:0] start_q;
  always_ff @(posedge clk_i) begin
    if (rst_i) start_q <= '0;
    else start_q <= (Stages - 2)'({start_q, start_i});
  end
  assign bias_step_o = start_q[Stages-3];
  logic [Pout*Width-1:0] total_q;
  for (genvar o = 0; o < Pout; o++) begin : gen_accumulator
    logic [Width-1:0] term;
    assign term = Width'($signed(sum[o*SumWidth+:SumWidth])) << Shift;
    always_ff @(posedge clk_i) begin
      if (tap_q[Stages-1])
        total_q[o*Width+:Width] <= term + (first_q[Stages-1] ? bias_i[o*Width+:Width] : total_q[o*Width+:Width]);
    end
  end
  assign data_o = total_q;
  always_ff @(posedge clk_i) begin
    if (rst_i) put_o <= 1'b0;
    else put_o <= tap_q[Stages-1] & last_q[Stages-1];
  end
endmodule
