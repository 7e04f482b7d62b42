// The channels of some streams behind each other, pixel by pixel.
//
// Function:   takes Counts[n] words of stream n, then of the next one. Latency: 2 cycles. Throughput: a word a cycle.
module concatenate #(
    parameter int unsigned Streams = 2,
    parameter int unsigned Width = 8,  // bits of a word, of all streams
    parameter logic [Streams*32-1:0] Counts = {Streams{32'd1}},  // words of a pixel, the first stream in the low bits
    parameter int unsigned LogDepth = 3
) (
    input  logic                     clk_i,
    input  logic                     rst_i,
    input  logic [      Streams-1:0] valid_i,
    output logic [      Streams-1:0] ready_o,
    input  logic [Streams*Width-1:0] data_i,
    output logic                     valid_o,
    input  logic                     ready_i,
    output logic [        Width-1:0] data_o
);
  logic [Streams-1:0] turn_q;  // one bit is set
  logic [31:0] count_q, count;
  logic [Width-1:0] word, word_q;
  logic free, take, put_q;

  always_comb begin
    word  = '0;
    count = '0;
    for (int n = 0; n < Streams; n++) begin
      if (turn_q[n]) begin
        word  = word | data_i[n*Width+:Width];
        count = count | Counts[n*32+:32];
      end
    end
  end
  assign ready_o = turn_q & {Streams{free}};
  assign take = free & |(turn_q & valid_i);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      turn_q  <= Streams'(1);
      count_q <= '0;
      put_q   <= 1'b0;
    end else begin
      put_q <= take;
      if (take) begin
        if (count_q == count - 1) begin
          count_q <= '0;
          turn_q  <= {turn_q[Streams-2:0], turn_q[Streams-1]};
        end else count_q <= count_q + 1'b1;
      end
    end
  end
  always_ff @(posedge clk_i) word_q <= word;

  credit_fifo #(
      .Width(Width),
      .LogDepth(LogDepth)
  ) u_fifo (
      .clk_i,
      .rst_i,
      .take_i(take),
      .free_o(free),
      .put_i (put_q),
      .data_i(word_q),
      .valid_o,
      .ready_i,
      .data_o
  );
endmodule
