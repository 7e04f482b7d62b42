// Constants in the order in which they are used: the address is a counter.
//
// Function:   `step_i` asks for the next word; after the last one comes the first.
// Latency:    4 cycles from `step_i` to its word: one of the step and an address a bank, because blocks stand far apart
//             and no tool makes one of two counters, as it does of two copies; the memory's own register; one a bank,
//             which is cleared where the word is another bank's; and one behind the OR of all banks: a wide choice of
//             one costs more.
// Throughput: a word a cycle.
module rom #(
    parameter int unsigned Width = 8,  // bits of a word
    parameter int unsigned Depth = 1,  // words
    parameter int unsigned BankDepth = 512,  // words of a bank, a power of two
    parameter int unsigned Small = 32,  // see rom_bank.sv
    parameter File = "rom.hex"  // a word a line, hexadecimal
) (
    input  logic             clk_i,
    input  logic             rst_i,
    input  logic             step_i,
    output logic [Width-1:0] data_o
);
  localparam int unsigned Banks = (Depth + BankDepth - 1) / BankDepth;
  localparam int unsigned Bits = Depth > 1 ? $clog2(Depth) : 1;
  logic step_q;

  always_ff @(posedge clk_i) step_q <= step_i & ~rst_i;

  if (Banks == 1) begin : gen_one_bank
    logic [Bits-1:0] address_q;
    logic [Width-1:0] bank;
    always_ff @(posedge clk_i) begin
      if (rst_i) address_q <= '0;
      else if (step_q) address_q <= address_q == Bits'(Depth - 1) ? '0 : address_q + 1'b1;
    end
    rom_bank #(
        .Width(Width),
        .Depth(Depth),
        .Small(Small),
        .File (File)
    ) u_bank (
        .clk_i,
        .clear_i(1'b0),
        .address_i(address_q),
        .data_o(bank)
    );
    always_ff @(posedge clk_i) data_o <= bank;
  end else begin : gen_banks
    localparam int unsigned Low = $clog2(BankDepth);
    localparam int unsigned High = Bits - Low;
    logic [Banks-1:0] other_q;  // the word is not this bank's
    logic [Banks*Width-1:0] bank;
    logic [Width-1:0] all;
    for (genvar b = 0; b < Banks; b++) begin : gen_bank
      localparam int unsigned Here = b == Banks - 1 ? Depth - b * BankDepth : BankDepth;
      localparam int unsigned HereBits = Here > 1 ? $clog2(Here) : 1;
      logic [Bits-1:0] address_q;
      always_ff @(posedge clk_i) begin
        if (rst_i) address_q <= '0;
        else if (step_q) address_q <= address_q == Bits'(Depth - 1) ? '0 : address_q + 1'b1;
      end
      // The files of the banks are named .00, .01 and so on.
      rom_bank #(
          .Width(Width),
          .Depth(Here),
          .Small(Small),
          .File ({File, ".", 8'(48 + b / 10), 8'(48 + b % 10)})
      ) u_bank (
          .clk_i,
          .clear_i(other_q[b]),
          .address_i(address_q[HereBits-1:0]),
          .data_o(bank[b*Width+:Width])
      );
      always_ff @(posedge clk_i) other_q[b] <= address_q[Bits-1:Low] != High'(b);
    end
    always_comb begin
      all = '0;
      for (int unsigned b = 0; b < Banks; b++) all = all | bank[b*Width+:Width];
    end
    always_ff @(posedge clk_i) data_o <= all;
  end
endmodule
