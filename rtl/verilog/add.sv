// The sum of two streams of equal words, with the Requantize behind it.
//
// Function:   waits for a word of both, and for room. Then finish.sv. Latency: 2 cycles + finish.sv's.
// Throughput: a word a cycle.
module add #(
    parameter int unsigned Lanes = 1,
    parameter int unsigned Width = 8,  // of both and of their sum, in the same units
    parameter bit Requantize = 0,
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
    input  logic [               1:0] valid_i,
    output logic [               1:0] ready_o,
    input  logic [ 2*Lanes*Width-1:0] data_i,   // the second stream above the first
    output logic                      valid_o,
    input  logic                      ready_i,
    output logic [Lanes*OutWidth-1:0] data_o
);
  logic free, take, put_q;
  logic [Lanes*Width-1:0] sum_q;

  assign ready_o = {free & valid_i[0], free & valid_i[1]};
  assign take = free & (&valid_i);
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    always_ff @(posedge clk_i) begin
      sum_q[l*Width+:Width] <= data_i[l*Width+:Width] + data_i[(Lanes+l)*Width+:Width];
    end
  end
  always_ff @(posedge clk_i) begin
    if (rst_i) put_q <= 1'b0;
    else put_q <= take;
  end

  finish #(
      .Lanes(Lanes),
      .Requantize(Requantize),
      .InWidth(Width),
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
      .free_o(free),
      .put_i (put_q),
      .data_i(sum_q),
      .valid_o,
      .ready_i,
      .data_o
  );
endmodule
