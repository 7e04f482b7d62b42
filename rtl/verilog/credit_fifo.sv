// A FIFO whose writer never waits, because a place is kept for each result before its computation starts.
//
// Function:   `take_i` keeps a place (allowed while `free_o`), `put_i` fills the oldest place that is kept.
// Latency:    a word that is put in cycle t is offered in cycle t + 1; a place is free the cycle after its word left.
// Throughput: a word a cycle, where the depth covers the cycles between `take_i` and `put_i`, and two more.
module credit_fifo #(
    parameter int unsigned Width = 8,    // bits of a word
    parameter int unsigned LogDepth = 4  // 2^LogDepth words
) (
    input  logic             clk_i,
    input  logic             rst_i,
    input  logic             take_i,
    output logic             free_o,
    input  logic             put_i,
    input  logic [Width-1:0] data_i,
    output logic             valid_o,
    input  logic             ready_i,
    output logic [Width-1:0] data_o
);
  localparam int unsigned Depth = 1 << LogDepth;

  (* ram_style = "distributed" *) (* no_rw_check *) logic [Width-1:0] words[Depth];
  logic [LogDepth-1:0] put_q, pop_q;
  // Free places less one: the sign tells that there is none, without a comparison.
  logic [LogDepth+1:0] spare_q;
  logic [LogDepth:0] level_q;  // words that are there
  logic only_q;  // there is one
  logic pop;

  assign data_o = words[pop_q];
  assign pop    = valid_o & ready_i;
  assign free_o = ~spare_q[LogDepth+1];

  always_ff @(posedge clk_i) begin
    if (put_i) words[put_q] <= data_i;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      put_q   <= '0;
      pop_q   <= '0;
      spare_q <= (LogDepth + 2)'(Depth - 1);
      level_q <= '0;
      only_q  <= 1'b0;
      valid_o <= 1'b0;
    end else begin
      if (put_i) put_q <= put_q + 1'b1;
      if (pop) pop_q <= pop_q + 1'b1;
      if (take_i & ~pop) spare_q <= spare_q - 1'b1;
      else if (pop & ~take_i) spare_q <= spare_q + 1'b1;
      if (put_i & ~pop) begin
        level_q <= level_q + 1'b1;
        only_q  <= level_q == '0;
        valid_o <= 1'b1;
      end else if (pop & ~put_i) begin
        level_q <= level_q - 1'b1;
        only_q  <= level_q == (LogDepth + 1)'(2);
        valid_o <= ~only_q;
      end
    end
  end
endmodule
