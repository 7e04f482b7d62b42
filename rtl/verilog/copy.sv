// One stream to some readers: each takes the word when it can, and the next one comes when all have it.
//
// Latency: 0. Throughput: a word a cycle, where the readers keep pace.
module copy #(
    parameter int unsigned Readers = 2
) (
    input  logic               clk_i,
    input  logic               rst_i,
    input  logic               valid_i,
    output logic               ready_o,
    output logic [Readers-1:0] valid_o,
    input  logic [Readers-1:0] ready_i
);
  logic [Readers-1:0] has_q;

  assign valid_o = {Readers{valid_i}} & ~has_q;
  assign ready_o = &(has_q | ready_i);
  always_ff @(posedge clk_i) begin
    if (rst_i) has_q <= '0;
    else if (valid_i) has_q <= ready_o ? '0 : has_q | ready_i;
  end
endmodule
