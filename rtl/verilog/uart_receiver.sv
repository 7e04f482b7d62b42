// Bytes from a serial line: 8 bits, the lowest first, a start bit, a stop bit, no parity.
//
// Function:   `valid_o` for one cycle with each byte whose stop bit is there; nobody can hold it up.
// Latency:    9.5 bits and 4 cycles from the start bit. Throughput: a byte every 10 bits.
module uart_receiver #(
    parameter int unsigned CyclesPerBit = 25  // at least 4
) (
    input  logic       clk_i,
    input  logic       rst_i,
    input  logic       rx_i,  // of no clock
    output logic       valid_o,
    output logic [7:0] data_o
);
  localparam int unsigned Bits = $clog2(2 * CyclesPerBit);
  logic [2:0] rx_q;
  logic [Bits-1:0] wait_q;  // cycles until the middle of the next bit
  logic [3:0] left_q;  // bits that are still to come, the stop bit too
  logic busy_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      rx_q <= '1;
      busy_q <= 1'b0;
      valid_o <= 1'b0;
    end else begin
      rx_q <= {rx_q[1:0], rx_i};
      valid_o <= 1'b0;
      if (~busy_q) begin
        busy_q <= ~rx_q[2];
        wait_q <= Bits'(CyclesPerBit + CyclesPerBit / 2 - 1);
        left_q <= 4'd8;
      end else if (wait_q != '0) begin
        wait_q <= wait_q - 1'b1;
      end else begin
        wait_q <= Bits'(CyclesPerBit - 1);
        left_q <= left_q - 1'b1;
        if (left_q != '0) data_o <= {rx_q[2], data_o[7:1]};
        else begin
          busy_q  <= 1'b0;
          valid_o <= rx_q[2];
        end
      end
    end
  end
endmodule
