// A signed product between registers, in a multiplier of the device (multiply.sv) or made of look-up tables.
//
// Function:   product = a * b. Logic = 1: the wider side times each bit of the other, added in pairs, then all; the
//             sign bit of the other side counts negative. Latency: 2 cycles. Throughput: a product a cycle.
module product #(
    parameter int unsigned AWidth = 18,
    parameter int unsigned BWidth = 18,
    parameter bit Logic = 0
) (
    input  logic                     clk_i,
    input  logic [       AWidth-1:0] a_i,
    input  logic [       BWidth-1:0] b_i,
    output logic [AWidth+BWidth-1:0] product_o
);
  if (!Logic) begin : gen_block
    multiply #(
        .AWidth(AWidth),
        .BWidth(BWidth)
    ) u_multiply (
        .clk_i,
        .a_i,
        .b_i,
        .product_o
    );
  end else begin : gen_logic
    localparam int unsigned Width = AWidth + BWidth;
    localparam int unsigned Rows = AWidth < BWidth ? AWidth : BWidth;
    localparam int unsigned Wide = Width - Rows;
    localparam int unsigned Pairs = (Rows + 1) / 2;
    logic [Wide-1:0] wide;
    logic [Rows-1:0] bits;
    logic [Width-1:0] extended, total;
    logic [Pairs*Width-1:0] pair_q;
    if (AWidth < BWidth) begin : gen_a_bits
      assign wide = b_i;
      assign bits = a_i;
    end else begin : gen_b_bits
      assign wide = a_i;
      assign bits = b_i;
    end
    assign extended = Width'($signed(wide));
    for (genvar p = 0; p < Pairs; p++) begin : gen_pair
      logic [Width-1:0] even, odd;
      assign even = bits[2*p] ? extended : '0;
      if (2 * p + 1 < Rows) begin : gen_two
        assign odd = bits[2*p+1] ? extended << 1 : '0;
      end else begin : gen_one
        assign odd = '0;
      end
      // The last row is that of the sign.
      always_ff @(posedge clk_i) begin
        if (2 * p + 1 == Rows) pair_q[p*Width+:Width] <= -even;
        else if (2 * p + 2 == Rows) pair_q[p*Width+:Width] <= even - odd;
        else pair_q[p*Width+:Width] <= even + odd;
      end
    end
    always_comb begin
      total = '0;
      for (int unsigned p = 0; p < Pairs; p++) total = total + (pair_q[p*Width+:Width] << (2 * p));
    end
    always_ff @(posedge clk_i) product_o <= total;
  end
endmodule
