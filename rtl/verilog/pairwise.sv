// Two streams joined element by element: difference, product, larger or smaller one.
//
// Function:   Operation 0: one - other, 1: one * other, 2: the larger, 3: the smaller, each operand moved up by its
//             shift (a product by OneShift), in Width bits, which hold every result. Waits for a word of both, and for
//             room. Then finish.sv.
// Latency:    2 cycles (product: 3) + finish.sv's. Throughput: a word a cycle.
module pairwise #(
    parameter int unsigned Lanes = 1,
    parameter int unsigned Operation = 0,
    parameter int unsigned OneWidth = 8,
    parameter bit OneSigned = 1,
    parameter int unsigned OneShift = 0,
    parameter int unsigned OtherWidth = 8,
    parameter bit OtherSigned = 1,
    parameter int unsigned OtherShift = 0,
    parameter int unsigned Width = 8,  // of the result
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
    input  logic                                     clk_i,
    input  logic                                     rst_i,
    input  logic [                              1:0] valid_i,
    output logic [                              1:0] ready_o,
    input  logic [Lanes*(OneWidth+OtherWidth)-1:0] data_i,   // the second stream above the first
    output logic                                     valid_o,
    input  logic                                     ready_i,
    output logic [               Lanes*OutWidth-1:0] data_o
);
  localparam int unsigned OneBits = OneWidth + OneShift;
  localparam int unsigned OtherBits = OtherWidth + OtherShift;
  localparam int unsigned Both = (OneBits > OtherBits ? OneBits : OtherBits) + 1;
  localparam int unsigned Wide = Both > Width ? Both : Width;
  localparam int unsigned Product = OneWidth + OtherWidth + 2;
  logic free, take, take1_q, put;
  logic [Lanes*Width-1:0] result;

  assign ready_o = {free & valid_i[0], free & valid_i[1]};
  assign take = free & (&valid_i);
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [OneWidth-1:0] one;
    logic [OtherWidth-1:0] other;
    assign one   = data_i[l*OneWidth+:OneWidth];
    assign other = data_i[Lanes*OneWidth+l*OtherWidth+:OtherWidth];
    if (Operation == 1) begin : gen_product
      logic [Product-1:0] product;
      logic unused_bits;
      assign unused_bits = ^product;  // its upper ones are the sign, again
      multiply #(
          .AWidth(OneWidth + 1),
          .BWidth(OtherWidth + 1)
      ) u_multiply (
          .clk_i,
          .a_i({OneSigned & one[OneWidth-1], one}),
          .b_i({OtherSigned & other[OtherWidth-1], other}),
          .product_o(product)
      );
      assign result[l*Width+:Width] = Width'($signed(product)) << OneShift;
    end else begin : gen_choice
      logic [Wide-1:0] first, second, all;
      logic [Width-1:0] all_q;
      logic more;
      assign first = Wide'($signed({OneSigned & one[OneWidth-1], one})) << OneShift;
      assign second = Wide'($signed({OtherSigned & other[OtherWidth-1], other})) << OtherShift;
      assign more = $signed(first) > $signed(second);
      if (Operation == 0) begin : gen_difference
        logic unused;
        assign unused = more;
        assign all = first - second;
      end else begin : gen_larger
        assign all = (more == (Operation == 2)) ? first : second;
      end
      logic unused_bits;
      assign unused_bits = ^all;  // its upper ones are the sign, again
      always_ff @(posedge clk_i) all_q <= all[Width-1:0];
      assign result[l*Width+:Width] = all_q;
    end
  end
  always_ff @(posedge clk_i) begin
    if (rst_i) take1_q <= 1'b0;
    else take1_q <= take;
  end
  if (Operation == 1) begin : gen_late
    logic take2_q;
    always_ff @(posedge clk_i) begin
      if (rst_i) take2_q <= 1'b0;
      else take2_q <= take1_q;
    end
    assign put = take2_q;
  end else begin : gen_now
    assign put = take1_q;
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
      .take_i(take),
      .free_o(free),
      .put_i (put),
      .data_i(result),
      .valid_o,
      .ready_i,
      .data_o
  );
endmodule
