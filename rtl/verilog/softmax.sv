// Softmax over the channels of a position, a channel a word, by two tables (docs/integer_network.md, section 3.2).
//
// Function:   collects the codes and their maximum; sums up the exponentials; looks the reciprocal up by the bits
//             behind the leading one of the sum; multiplies and rounds. The steps of one position follow each other.
// Latency:    Classes + 13 cycles from the last code of a position to its first result's FIFO. Throughput: a
//             position in 3 * Classes + 6 cycles.
module softmax #(
    parameter int unsigned Classes = 10,
    parameter int unsigned InWidth = 8,
    parameter bit InSigned = 1,
    parameter int unsigned Exponentials = 1024,
    parameter int unsigned ExponentialWidth = 17,
    parameter int unsigned SumWidth = 21,
    parameter int unsigned IndexBits = 10,  // 2^IndexBits reciprocals
    parameter int unsigned ReciprocalWidth = 17,
    parameter int Places = 0,  // a product is shifted by them and by the place of the sum's leading one
    parameter int unsigned OutWidth = 8,
    parameter ExponentialFile = "exponentials.hex",
    parameter ReciprocalFile = "reciprocals.hex",
    parameter int unsigned SmallRom = 32,  // see rom_bank.sv
    parameter int unsigned LogDepth = 4
) (
    input  logic                clk_i,
    input  logic                rst_i,
    input  logic                valid_i,
    output logic                ready_o,
    input  logic [ InWidth-1:0] data_i,
    output logic                valid_o,
    input  logic                ready_i,
    output logic [OutWidth-1:0] data_o
);
  localparam int unsigned Bits = Classes > 1 ? $clog2(Classes) : 1;
  localparam int unsigned DistanceBits = Exponentials > 1 ? $clog2(Exponentials) : 1;
  localparam int unsigned DistanceWidth = InWidth + 1 > 32 ? InWidth + 1 : 32;
  localparam int unsigned PlaceBits = $clog2(SumWidth + 1);
  localparam int unsigned ProductWidth = ExponentialWidth + ReciprocalWidth;
  localparam int unsigned Settle = 6;  // from the last exponential that is asked for to the reciprocal

  typedef enum logic [1:0] {
    Collect,
    Exponential,
    Wait,
    Multiply
  } state_t;
  state_t state_q;
  logic [Bits-1:0] class_q;
  logic [3:0] settle_q;
  logic class_end, take, ask, start, free;

  assign class_end = class_q == Bits'(Classes - 1);
  assign ready_o = state_q == Collect;
  assign take = ready_o & valid_i;
  assign ask = state_q == Exponential;
  assign start = (state_q == Multiply) & free;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q  <= Collect;
      class_q  <= '0;
      settle_q <= '0;
    end else begin
      if (take | ask | start) class_q <= class_end ? '0 : class_q + 1'b1;
      settle_q <= state_q == Wait ? settle_q + 1'b1 : '0;
      case (state_q)
        Collect: if (take & class_end) state_q <= Exponential;
        Exponential: if (class_end) state_q <= Wait;
        Wait: if (settle_q == 4'(Settle - 1)) state_q <= Multiply;
        default: if (start & class_end) state_q <= Collect;
      endcase
    end
  end

  // ---- codes and their maximum
  logic [InWidth-1:0] codes[Classes];
  logic [InWidth-1:0] code_q, most_q;
  logic [InWidth:0] code_wide, most_wide;
  logic more;
  assign more = InSigned ? $signed(data_i) > $signed(most_q) : data_i > most_q;
  always_ff @(posedge clk_i) begin
    if (take) codes[class_q] <= data_i;
    if (take & (class_q == '0 | more)) most_q <= data_i;
    code_q <= codes[class_q];
  end

  // ---- exponentials: 1 code_q, 2 distance_q, 3 and 4 the table, then the sum and the memory
  logic [ExponentialWidth-1:0] exponential, kept_q, factor_q;
  logic [ExponentialWidth-1:0] kept[Classes];
  logic [DistanceBits-1:0] distance_q;
  logic [InWidth:0] distance;
  logic [3:0] ask_q;
  logic [3:0][Bits-1:0] class_of_q;
  logic [SumWidth-1:0] sum_q;
  rom_bank #(
      .Width(ExponentialWidth),
      .Depth(Exponentials),
      .Small(SmallRom),
      .File (ExponentialFile)
  ) u_exponentials (
      .clk_i,
      .clear_i(1'b0),
      .address_i(distance_q),
      .data_o(exponential)
  );
  assign code_wide = {InSigned & code_q[InWidth-1], code_q};
  assign most_wide = {InSigned & most_q[InWidth-1], most_q};
  assign distance  = most_wide - code_wide;
  always_ff @(posedge clk_i) begin
    distance_q <= DistanceWidth'(distance) >= DistanceWidth'(Exponentials) ?
        DistanceBits'(Exponentials - 1) : DistanceBits'(distance);
    class_of_q <= {class_of_q[2:0], class_q};
    if (take) sum_q <= '0;
    else if (ask_q[3]) sum_q <= sum_q + SumWidth'(exponential);
    if (ask_q[3]) kept[class_of_q[3]] <= exponential;
  end
  always_ff @(posedge clk_i) begin
    if (rst_i) ask_q <= '0;
    else ask_q <= {ask_q[2:0], ask};
  end

  // ---- the reciprocal: 1 place_q, 2 index_q, 3 and 4 the table
  logic [ReciprocalWidth-1:0] reciprocal;
  logic [PlaceBits-1:0] place_q, place;
  logic [SumWidth+IndexBits-1:0] normal;
  localparam int unsigned IndexWidth = IndexBits > 0 ? IndexBits : 1;
  logic [IndexWidth-1:0] index_q;
  rom_bank #(
      .Width(ReciprocalWidth),
      .Depth(1 << IndexBits),
      .Small(SmallRom),
      .File (ReciprocalFile)
  ) u_reciprocals (
      .clk_i,
      .clear_i(1'b0),
      .address_i(index_q),
      .data_o(reciprocal)
  );
  always_comb begin
    place = '0;
    for (int b = 0; b < SumWidth; b++) if (sum_q[b]) place = PlaceBits'(b);
  end
  logic unused;
  assign unused = ^normal;  // the leading one itself, and what is above, is not looked at
  assign normal = {sum_q, {IndexBits{1'b0}}} >> place_q;
  always_ff @(posedge clk_i) begin
    place_q <= place;
    index_q <= IndexBits > 0 ? normal[IndexWidth-1:0] : '0;
  end

  // ---- shares: 1 kept_q, 2 factor_q, 3 product_q, 4 shifted_q, 5 share_q
  logic [ProductWidth-1:0] product_q;
  logic [ProductWidth:0] shifted_q, half_up;
  logic [6:0] shift_q;
  logic [OutWidth-1:0] share_q;
  logic [4:0] put_q;
  localparam int unsigned Wide = ProductWidth + 1 > OutWidth ? ProductWidth + 1 : OutWidth + 1;
  logic [Wide-1:0] share;
  // Half a unit is added to twice the product, shifted by one place less.
  assign half_up = ({1'b0, product_q} >> (shift_q - 7'd1)) + 1'b1;
  assign share = Wide'(shifted_q >> 1);
  always_ff @(posedge clk_i) begin
    shift_q <= 7'(signed'(32'(place_q)) + Places);
    kept_q <= kept[class_q];
    factor_q <= kept_q;
    product_q <= ProductWidth'(factor_q) * ProductWidth'(reciprocal);
    shifted_q <= half_up;
    share_q <= |share[Wide-1:OutWidth] ? '1 : share[OutWidth-1:0];
  end
  always_ff @(posedge clk_i) begin
    if (rst_i) put_q <= '0;
    else put_q <= {put_q[3:0], start};
  end

  credit_fifo #(
      .Width(OutWidth),
      .LogDepth(LogDepth)
  ) u_fifo (
      .clk_i,
      .rst_i,
      .take_i(start),
      .free_o(free),
      .put_i (put_q[4]),
      .data_i(share_q),
      .valid_o,
      .ready_i,
      .data_o
  );
endmodule
