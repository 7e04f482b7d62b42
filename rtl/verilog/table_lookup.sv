// A function of one value by look-up: a ROM a lane, addressed by the code less the lowest code.
//
// Latency: 3 cycles. Throughput: a word a cycle.
module table_lookup #(
    parameter int unsigned Lanes = 1,
    parameter int unsigned InWidth = 8,
    parameter bit InSigned = 0,
    parameter int unsigned OutWidth = 8,
    parameter File = "table.hex",
    parameter int unsigned SmallRom = 32,  // see rom_bank.sv
    parameter int unsigned LogDepth = 3
) (
    input  logic                      clk_i,
    input  logic                      rst_i,
    input  logic                      valid_i,
    output logic                      ready_o,
    input  logic [ Lanes*InWidth-1:0] data_i,
    output logic                      valid_o,
    input  logic                      ready_i,
    output logic [Lanes*OutWidth-1:0] data_o
);
  logic take, put1_q, put2_q;
  logic [Lanes*OutWidth-1:0] result;

  assign take = valid_i & ready_o;
  always_ff @(posedge clk_i) begin
    if (rst_i) {put2_q, put1_q} <= 2'b00;
    else {put2_q, put1_q} <= {put1_q, take};
  end
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    // The lowest signed code is entry 0.
    rom_bank #(
        .Width(OutWidth),
        .Depth(1 << InWidth),
        .Small(SmallRom),
        .File (File)
    ) u_entries (
        .clk_i,
        .clear_i(1'b0),
        .address_i(data_i[l*InWidth+:InWidth] ^ (InWidth'(InSigned) << (InWidth - 1))),
        .data_o(result[l*OutWidth+:OutWidth])
    );
  end

  credit_fifo #(
      .Width(Lanes * OutWidth),
      .LogDepth(LogDepth)
  ) u_fifo (
      .clk_i,
      .rst_i,
      .take_i(take),
      .free_o(ready_o),
      .put_i (put2_q),
      .data_i(result),
      .valid_o,
      .ready_i,
      .data_o
  );
endmodule
