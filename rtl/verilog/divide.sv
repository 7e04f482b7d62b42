// A sum divided by the number of its terms, truncated towards zero, with a reciprocal that is exact for every sum.
//
// Function:   sign(total) * floor(|total| * reciprocal / 2^Places). Which reciprocal and how many places make that
//             floor(|total| / count) for each total up to the largest is proven where they are chosen.
// Latency:    3 cycles. Throughput: a value a cycle.
module divide #(
    parameter int unsigned Width = 16,
    parameter bit Signed = 1,
    parameter int unsigned ReciprocalWidth = 8,
    parameter int unsigned Places = 8,
    parameter int unsigned OutWidth = 8
) (
    input  logic                       clk_i,
    input  logic [          Width-1:0] total_i,
    input  logic [ReciprocalWidth-1:0] reciprocal_i,  // a cycle after total_i
    output logic [       OutWidth-1:0] data_o
);
  localparam int unsigned ProductWidth = Width + ReciprocalWidth;
  localparam int unsigned QuotientWidth = ProductWidth > Places + OutWidth ? ProductWidth : Places + OutWidth;
  logic minus1_q, minus2_q;
  logic [Width-1:0] size_q;
  logic [QuotientWidth-1:0] product_q, quotient;

  logic unused;
  assign unused = ^quotient;  // its upper bits are zero
  assign quotient = product_q >> Places;
  always_ff @(posedge clk_i) begin
    minus1_q <= Signed & total_i[Width-1];
    size_q <= (Signed & total_i[Width-1]) ? -total_i : total_i;
    minus2_q <= minus1_q;
    product_q <= QuotientWidth'(size_q) * QuotientWidth'(reciprocal_i);
    data_o <= minus2_q ? -quotient[OutWidth-1:0] : quotient[OutWidth-1:0];
  end
endmodule
