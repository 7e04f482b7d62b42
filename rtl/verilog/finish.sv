// The end of a block that computes: each lane into its last type, then a FIFO that had a place for the result.
//
// Function:   see requantize.sv and credit_fifo.sv; with Requantize = 0 the lanes go into the FIFO as they are.
// Latency:    2 cycles with Requantize, else 0, and 1 of the FIFO. Throughput: a word a cycle.
module finish #(
    parameter int unsigned Lanes = 1,
    parameter bit Requantize = 0,
    parameter int unsigned InWidth = 8,
    parameter bit InSigned = 1,
    parameter int Drop = 0,
    parameter bit Relu = 0,
    parameter int unsigned Rounding = 0,
    parameter int unsigned Overflow = 0,
    parameter int unsigned OutWidth = 8,
    parameter bit OutSigned = 1,
    parameter int unsigned LogDepth = 4
) (
    input  logic                      clk_i,
    input  logic                      rst_i,
    input  logic                      take_i,
    output logic                      free_o,
    input  logic                      put_i,
    input  logic [ Lanes*InWidth-1:0] data_i,
    output logic                      valid_o,
    input  logic                      ready_i,
    output logic [Lanes*OutWidth-1:0] data_o
);
  logic put;
  logic [Lanes*OutWidth-1:0] result;

  if (Requantize) begin : gen_requantize
    logic put1_q, put2_q;
    always_ff @(posedge clk_i) begin
      if (rst_i) {put2_q, put1_q} <= 2'b00;
      else {put2_q, put1_q} <= {put1_q, put_i};
    end
    assign put = put2_q;
    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      requantize #(
          .InWidth(InWidth),
          .InSigned(InSigned),
          .Drop(Drop),
          .Relu(Relu),
          .Rounding(Rounding),
          .Overflow(Overflow),
          .OutWidth(OutWidth),
          .OutSigned(OutSigned)
      ) u_requantize (
          .clk_i,
          .data_i(data_i[l*InWidth+:InWidth]),
          .data_o(result[l*OutWidth+:OutWidth])
      );
    end
  end else begin : gen_as_it_is
    assign put = put_i;
    assign result = data_i;
  end

  credit_fifo #(
      .Width(Lanes * OutWidth),
      .LogDepth(LogDepth)
  ) u_fifo (
      .clk_i,
      .rst_i,
      .take_i,
      .free_o,
      .put_i (put),
      .data_i(result),
      .valid_o,
      .ready_i,
      .data_o
  );
endmodule
