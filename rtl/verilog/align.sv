// Lanes moved to another binary point in a wider type, without losing a bit: wires only.
//
// Function:   value << Shift, sign or zeros in front. Latency: 0.
module align #(
    parameter int unsigned Lanes = 1,
    parameter int unsigned InWidth = 8,
    parameter bit InSigned = 1,
    parameter int unsigned Shift = 0,
    parameter int unsigned OutWidth = 8
) (
    input  logic [ Lanes*InWidth-1:0] data_i,
    output logic [Lanes*OutWidth-1:0] data_o
);
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [InWidth-1:0] lane;
    assign lane = data_i[l*InWidth+:InWidth];
    assign data_o[l*OutWidth+:OutWidth] = OutWidth'($signed({InSigned & lane[InWidth-1], lane})) << Shift;
  end
endmodule
