// A network on a serial line: bytes become its words, its results bytes, each word in as few bytes as hold it, the low
// one first.
//
// Function:   a word that the network does not take before the next byte comes is lost: `overrun_o` stays then. The
//             sender waits for each result, so that the network is empty when an image starts.
// Latency:    a word is offered 2 cycles after its last byte's stop bit. Throughput: a byte every 10 bits, both ways.
module serial_shell #(
    parameter int unsigned InBits = 8,
    parameter int unsigned OutBits = 8,
    parameter int unsigned CyclesPerBit = 25
) (
    input  logic               clk_i,
    input  logic               rst_i,
    input  logic               rx_i,
    output logic               tx_o,
    output logic               overrun_o,
    // to the network and from it
    output logic               valid_o,
    input  logic               ready_i,
    output logic [ InBits-1:0] data_o,
    input  logic               valid_i,
    output logic               ready_o,
    input  logic [OutBits-1:0] data_i
);
  localparam int unsigned InBytes = (InBits + 7) / 8;
  localparam int unsigned OutBytes = (OutBits + 7) / 8;
  localparam int unsigned InCount = InBytes > 1 ? $clog2(InBytes) : 1;
  localparam int unsigned OutCount = $clog2(OutBytes + 1);

  logic got, send, sent;
  logic [7:0] byte_in;
  logic [8*InBytes-1:0] word_q;
  logic [8*OutBytes-1:0] result_q;
  logic [InCount-1:0] in_q;
  logic [OutCount-1:0] out_q;

  uart_receiver #(
      .CyclesPerBit(CyclesPerBit)
  ) u_receiver (
      .clk_i,
      .rst_i,
      .rx_i,
      .valid_o(got),
      .data_o (byte_in)
  );

  assign data_o = word_q[InBits-1:0];
  if (8 * InBytes > InBits) begin : gen_rest
    logic unused;
    assign unused = ^word_q[8*InBytes-1:InBits];
  end
  always_ff @(posedge clk_i) begin
    if (got) word_q <= (8 * InBytes)'({byte_in, word_q} >> 8);
    if (rst_i) begin
      in_q <= '0;
      valid_o <= 1'b0;
      overrun_o <= 1'b0;
    end else begin
      if (valid_o & ready_i) valid_o <= 1'b0;
      if (got) begin
        in_q <= in_q == InCount'(InBytes - 1) ? '0 : in_q + 1'b1;
        if (in_q == InCount'(InBytes - 1)) valid_o <= 1'b1;
        if (valid_o & ~ready_i) overrun_o <= 1'b1;
      end
    end
  end

  assign ready_o = out_q == '0;
  assign send = out_q != '0;
  always_ff @(posedge clk_i) begin
    if (rst_i) out_q <= '0;
    else if (ready_o) out_q <= valid_i ? OutCount'(OutBytes) : '0;
    else if (sent) out_q <= out_q - 1'b1;
    if (ready_o) result_q <= (8 * OutBytes)'(data_i);
    else if (sent) result_q <= result_q >> 8;
  end

  uart_transmitter #(
      .CyclesPerBit(CyclesPerBit)
  ) u_transmitter (
      .clk_i,
      .rst_i,
      .valid_i(send),
      .ready_o(sent),
      .data_i (result_q[7:0]),
      .tx_o
  );
endmodule
