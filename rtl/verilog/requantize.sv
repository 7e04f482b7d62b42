// One value into another fixed-point type: ReLU, then rounding, then overflow (docs/integer_network.md, section 1.3).
//
// Function:   Drop > 0 bits are rounded off, or Drop < 0 zeros are put behind.
// Latency:    2 cycles. Throughput: a value a cycle.
module requantize #(
    parameter int unsigned InWidth = 8,
    parameter bit InSigned = 1,
    parameter int Drop = 0,
    parameter bit Relu = 0,
    parameter int unsigned Rounding = 0,  // 0 TRN, 1 TRN_ZERO, 2 RND, 3 RND_CONV, 4 RND_ZERO, 5 RND_MIN_INF, 6 RND_INF
    parameter int unsigned Overflow = 0,  // 0 WRAP, 1 SAT, 2 SAT_SYM, 3 SAT_ZERO
    parameter int unsigned OutWidth = 8,
    parameter bit OutSigned = 1
) (
    input  logic                clk_i,
    input  logic [ InWidth-1:0] data_i,
    output logic [OutWidth-1:0] data_o
);
  localparam int unsigned Down = Drop > 0 ? Drop : 0;
  localparam int unsigned Up = Drop < 0 ? -Drop : 0;
  localparam int unsigned Wide = (InWidth + Up > Down ? InWidth + Up : Down) + 2;
  localparam int unsigned Width = Wide > OutWidth + 2 ? Wide : OutWidth + 2;

  logic signed [Width-1:0] code, quotient, rounded_q;
  logic negative, up;

  assign negative = InSigned & data_i[InWidth-1];
  assign code = (Relu && negative) ? '0 : $signed({{(Width - InWidth) {negative}}, data_i}) <<< Up;
  assign quotient = code >>> Down;

  if (Down == 0) begin : gen_exact
    assign up = 1'b0;
  end else begin : gen_rounded
    logic half, below, minus;
    assign half  = code[Down-1];
    assign minus = code[Width-1];
    if (Down > 1) begin : gen_below
      assign below = |code[Down-2:0];
    end else begin : gen_none_below
      assign below = 1'b0;
    end
    always_comb begin
      case (Rounding)
        1: up = minus & (half | below);
        2: up = half;
        3: up = half & (below | quotient[0]);
        4: up = half & (below | minus);
        5: up = half & below;
        6: up = half & (below | ~minus);
        default: up = 1'b0;
      endcase
    end
  end

  always_ff @(posedge clk_i) rounded_q <= quotient + $signed({{(Width - 1) {1'b0}}, up});

  logic minus, fits;
  assign minus = rounded_q[Width-1];
  if (OutSigned) begin : gen_signed
    logic lowest;
    // The lowest code of a symmetric range is not used, but in one bit.
    assign lowest = minus & ~|rounded_q[OutWidth-2+(OutWidth==1):0] & (OutWidth > 1) & (Overflow == 2);
    assign fits = (rounded_q[Width-1:OutWidth-1] == {(Width - OutWidth + 1) {minus}}) & ~lowest;
  end else begin : gen_unsigned
    assign fits = ~|rounded_q[Width-1:OutWidth];
  end

  localparam logic [OutWidth-1:0] Most = OutSigned ? {OutWidth{1'b1}} >> 1 : '1;
  localparam logic [OutWidth-1:0] Least =
      OutSigned ? ((Overflow == 2 && OutWidth > 1) ? ~Most + 1'b1 : ~Most) : '0;
  always_ff @(posedge clk_i) begin
    if (Overflow == 0 || fits) data_o <= rounded_q[OutWidth-1:0];
    else if (Overflow == 3) data_o <= '0;
    else data_o <= minus ? Least : Most;
  end
endmodule
