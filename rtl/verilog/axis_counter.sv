// One axis of rearrange.sv: places that are repeated, and the words from the first place to this one.
//
// Function:   `step_i` goes on to the next repeat, then to the next place, then to the first one again; `end_o` tells
//             that this is the last one. Latency: 1 cycle. Throughput: a step a cycle.
module axis_counter #(
    parameter int unsigned Kept = 1,  // places
    parameter int unsigned Repeats = 1,
    parameter int unsigned Step = 1,  // words from place to place
    parameter int unsigned Bits = 4
) (
    input  logic            clk_i,
    input  logic            rst_i,
    input  logic            step_i,
    output logic            end_o,
    output logic [Bits-1:0] offset_o  // modulo 2^Bits
);
  localparam int unsigned KeptBits = Kept > 1 ? $clog2(Kept) : 1;
  localparam int unsigned RepeatBits = Repeats > 1 ? $clog2(Repeats) : 1;
  logic [KeptBits-1:0] place_q;
  logic [RepeatBits-1:0] repeat_q;
  logic place_end, repeat_end;

  assign place_end = place_q == KeptBits'(Kept - 1);
  assign repeat_end = repeat_q == RepeatBits'(Repeats - 1);
  assign end_o = place_end & repeat_end;
  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      place_q  <= '0;
      repeat_q <= '0;
      offset_o <= '0;
    end else if (step_i) begin
      repeat_q <= repeat_end ? '0 : repeat_q + 1'b1;
      if (repeat_end) begin
        place_q  <= place_end ? '0 : place_q + 1'b1;
        offset_o <= place_end ? '0 : offset_o + Bits'(Step);
      end
    end
  end
endmodule
