// One memory of constants, with a register behind it.
//
// Function:   data of the address, two cycles later, or nothing if `clear_i` one cycle later; more than `Small` words
//             stand in block memory, others in look-up tables.
// Latency:    2 cycles. Throughput: a word a cycle.
module rom_bank #(
    parameter int unsigned Width = 8,
    parameter int unsigned Depth = 2,
    parameter int unsigned Small = 32,
    parameter File = "rom.hex",
    localparam int unsigned Bits = Depth > 1 ? $clog2(Depth) : 1
) (
    input  logic             clk_i,
    input  logic             clear_i,
    input  logic [ Bits-1:0] address_i,
    output logic [Width-1:0] data_o
);
  logic [Width-1:0] read_q;
  if (Depth > Small) begin : gen_block
    (* ram_style = "block" *) logic [Width-1:0] words[Depth];
    initial $readmemh(File, words);
    always_ff @(posedge clk_i) read_q <= words[address_i];
  end else begin : gen_logic
    // Each tool has its own word for look-up tables: Yosys the first, Vivado the second.
    (* ram_style = "logic", rom_style = "distributed" *) logic [Width-1:0] words[Depth];
    initial $readmemh(File, words);
    always_ff @(posedge clk_i) read_q <= words[address_i];
  end
  always_ff @(posedge clk_i) begin
    if (clear_i) data_o <= '0;
    else data_o <= read_q;
  end
endmodule
