// A Requantize that stands alone: behind an addition, or where its source has more readers.
//
// Function:   see requantize.sv, lane by lane. Latency: 3 cycles. Throughput: a word a cycle.
module convert #(
    parameter int unsigned Lanes = 1,
    parameter bit Requantize = 1,
    parameter int unsigned InWidth = 8,
    parameter bit InSigned = 1,
    parameter int Drop = 0,
    parameter bit Relu = 0,
    parameter int unsigned Rounding = 0,
    parameter int unsigned Overflow = 0,
    parameter int unsigned OutWidth = 8,
    parameter bit OutSigned = 1,
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
  logic take;
  assign take = valid_i & ready_o;

  finish #(
      .Lanes(Lanes),
      .Requantize(Requantize),
      .InWidth(InWidth),
      .InSigned(InSigned),
      .Drop(Drop),
      .Relu(Relu),
      .Rounding(Rounding),
      .Overflow(Overflow),
      .OutWidth(OutWidth),
      .OutSigned(OutSigned),
      .LogDepth(LogDepth)
  ) u_finish (
      .clk_i,
      .rst_i,
      .take_i(take),
      .free_o(ready_o),
      .put_i (take),
      .data_i,
      .valid_o,
      .ready_i,
      .data_o
  );
endmodule
