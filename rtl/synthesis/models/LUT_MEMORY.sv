// A model of an ECP5's look-up table as a memory of 16 bits (TRELLIS_COMB in the mode DPRAM), of siliconv's own.
//
// Function:   WD is written at WAD with the clock where WRE is set; DO is what stands at RAD.
// Latency:    0 cycles. Throughput: a bit a cycle.
module LUT_MEMORY (
    input  logic WCK, WRE, WD, WAD3, WAD2, WAD1, WAD0, RAD3, RAD2, RAD1, RAD0,
    output logic DO
);
  logic [15:0] bits;
  always_ff @(posedge WCK) begin
    if (WRE) bits[{WAD3, WAD2, WAD1, WAD0}] <= WD;
  end
  assign DO = bits[{RAD3, RAD2, RAD1, RAD0}];
endmodule
