// Beats of AXI-Stream (docs/stream_format.md) become words of codes, image by image.
//
// Function:   of each lane of a beat the low bits; the lanes of a pixel `Part` at a time, those behind its channels
//             left out. A packet that ends inside an image is filled up with zeros. With the last word of each image,
//             `image_o` tells whether the packet ends there (`end_o`); it waits for `free_i`, room for that.
// Latency:    0 cycles. Throughput: a word a cycle, a beat in as many cycles as it has words.
module beats_in #(
    parameter int unsigned LaneBits = 8,
    parameter int unsigned Lanes = 4,  // of a beat
    parameter int unsigned Channels = 3,  // of a pixel
    parameter int unsigned Beats = 1,  // of a pixel
    parameter int unsigned Pixels = 1,  // of an image
    parameter int unsigned CodeBits = 8,
    parameter int unsigned Part = 1  // a divisor of Channels, and of Lanes where a pixel has several beats
) (
    input  logic                      clk_i,
    input  logic                      rst_i,
    input  logic                      valid_i,
    output logic                      ready_o,
    input  logic [Lanes*LaneBits-1:0] data_i,
    input  logic                      last_i,
    output logic                      valid_o,
    input  logic                      ready_i,
    output logic [ Part*CodeBits-1:0] data_o,
    input  logic                      free_i,
    output logic                      image_o,
    output logic                      end_o
);
  localparam int unsigned Parts = (Beats == 1 ? Channels : Lanes) / Part;
  localparam int unsigned LastParts = (Channels - (Beats - 1) * Lanes) / Part;
  localparam int unsigned PartBits = Parts > 1 ? $clog2(Parts) : 1;
  localparam int unsigned BeatBits = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned PixelBits = Pixels > 1 ? $clog2(Pixels) : 1;
  logic [PartBits-1:0] part_q;
  logic [BeatBits-1:0] beat_q;
  logic [PixelBits-1:0] pixel_q;
  logic filling_q, part_end, beat_end, pixel_end, image_end, moved, unused;
  logic [Parts*Part*CodeBits-1:0] codes;
  assign unused = ^data_i;  // lanes and bits that mean nothing

  for (genvar n = 0; n < Parts * Part; n++) begin : gen_code
    assign codes[n*CodeBits+:CodeBits] = data_i[n*LaneBits+:CodeBits];
  end
  assign beat_end = beat_q == BeatBits'(Beats - 1);
  assign part_end = part_q == (beat_end ? PartBits'(LastParts - 1) : PartBits'(Parts - 1));
  assign pixel_end = pixel_q == PixelBits'(Pixels - 1);
  assign image_end = part_end & beat_end & pixel_end;

  assign valid_o = (valid_i | filling_q) & (free_i | ~image_end);
  assign ready_o = ready_i & ~filling_q & part_end & (free_i | ~image_end);
  assign data_o = filling_q ? '0 : codes[part_q*Part*CodeBits+:Part*CodeBits];
  assign moved = valid_o & ready_i;
  assign image_o = moved & image_end;
  assign end_o = filling_q | last_i;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      part_q <= '0;
      beat_q <= '0;
      pixel_q <= '0;
      filling_q <= 1'b0;
    end else if (moved) begin
      part_q <= part_end ? '0 : part_q + 1'b1;
      if (part_end) begin
        beat_q <= beat_end ? '0 : beat_q + 1'b1;
        if (beat_end) pixel_q <= pixel_end ? '0 : pixel_q + 1'b1;
        filling_q <= ~image_end & (filling_q | last_i);
      end
    end
  end
endmodule
