// Bytes to a serial line: 8 bits, the lowest first, a start bit, a stop bit, no parity.
//
// Latency: 1 cycle to the start bit. Throughput: a byte every 10 bits.
module uart_transmitter #(
    parameter int unsigned CyclesPerBit = 25
) (
    input  logic       clk_i,
    input  logic       rst_i,
    input  logic       valid_i,
    output logic       ready_o,
    input  logic [7:0] data_i,
    output logic       tx_o
);
  localparam int unsigned Bits = $clog2(CyclesPerBit);
  logic [8:0] rest_q;
  logic [3:0] left_q;
  logic [Bits-1:0] wait_q;

  assign ready_o = left_q == '0;
  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      tx_o   <= 1'b1;
      left_q <= '0;
    end else if (ready_o) begin
      if (valid_i) begin
        tx_o   <= 1'b0;
        rest_q <= {1'b1, data_i};
        left_q <= 4'd10;
        wait_q <= Bits'(CyclesPerBit - 1);
      end
    end else if (wait_q != '0) begin
      wait_q <= wait_q - 1'b1;
    end else begin
      tx_o   <= rest_q[0];
      rest_q <= {1'b1, rest_q[8:1]};
      left_q <= left_q - 1'b1;
      wait_q <= Bits'(CyclesPerBit - 1);
    end
  end
endmodule
