// Words of codes become beats of AXI-Stream (docs/stream_format.md), with TLAST where a packet of results ends.
//
// Function:   codes in lanes, signed ones sign-extended, lanes behind a pixel's channels zero. The last beat of a
//             result waits until it is known whether its image was the last of its packet (`known_i`, `end_i`);
//             `image_o` takes that away.
// Latency:    1 cycle. Throughput: a word a cycle.
module beats_out #(
    parameter int unsigned LaneBits = 8,
    parameter int unsigned Lanes = 4,  // of a beat
    parameter int unsigned Channels = 3,  // of a pixel
    parameter int unsigned Beats = 1,  // of a pixel
    parameter int unsigned Pixels = 1,  // of a result
    parameter int unsigned CodeBits = 8,
    parameter bit Signed = 1,
    parameter int unsigned Part = 1  // a divisor of Channels, and of Lanes where a pixel has several beats
) (
    input  logic                      clk_i,
    input  logic                      rst_i,
    input  logic                      valid_i,
    output logic                      ready_o,
    input  logic [ Part*CodeBits-1:0] data_i,
    input  logic                      known_i,
    input  logic                      end_i,
    output logic                      image_o,
    output logic                      valid_o,
    input  logic                      ready_i,
    output logic [Lanes*LaneBits-1:0] data_o,
    output logic                      last_o
);
  localparam int unsigned Parts = (Beats == 1 ? Channels : Lanes) / Part;
  localparam int unsigned LastParts = (Channels - (Beats - 1) * Lanes) / Part;
  localparam int unsigned PartBits = Parts > 1 ? $clog2(Parts) : 1;
  localparam int unsigned BeatBits = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned PixelBits = Pixels > 1 ? $clog2(Pixels) : 1;
  localparam int unsigned PartWidth = Part * LaneBits;
  logic [PartBits-1:0] part_q;
  logic [BeatBits-1:0] beat_q;
  logic [PixelBits-1:0] pixel_q;
  logic part_end, beat_end, pixel_end, result_end, moved;
  logic [PartWidth-1:0] part;
  logic [Parts*PartWidth-1:0] kept_q, beat;

  for (genvar n = 0; n < Part; n++) begin : gen_lane
    logic [CodeBits-1:0] code;
    assign code = data_i[n*CodeBits+:CodeBits];
    assign part[n*LaneBits+:LaneBits] = LaneBits'($signed({Signed & code[CodeBits-1], code}));
  end
  assign beat_end = beat_q == BeatBits'(Beats - 1);
  assign part_end = part_q == (beat_end ? PartBits'(LastParts - 1) : PartBits'(Parts - 1));
  assign pixel_end = pixel_q == PixelBits'(Pixels - 1);
  assign result_end = part_end & beat_end & pixel_end;

  assign ready_o = ~part_end | ((ready_i | ~valid_o) & (known_i | ~result_end));
  assign moved = valid_i & ready_o;
  assign image_o = moved & result_end;

  for (genvar n = 0; n < Parts; n++) begin : gen_part
    assign beat[n*PartWidth+:PartWidth] = part_q == PartBits'(n) ? part : kept_q[n*PartWidth+:PartWidth];
  end

  always_ff @(posedge clk_i) begin
    // What has not come yet is zero.
    if (rst_i | (moved & part_end)) kept_q <= '0;
    else if (moved) kept_q <= beat;
    if (moved & part_end) begin
      data_o <= (Lanes * LaneBits)'(beat);
      last_o <= result_end & end_i;
    end
    if (rst_i) begin
      part_q <= '0;
      beat_q <= '0;
      pixel_q <= '0;
      valid_o <= 1'b0;
    end else begin
      if (ready_i) valid_o <= 1'b0;
      if (moved) begin
        part_q <= part_end ? '0 : part_q + 1'b1;
        if (part_end) begin
          valid_o <= 1'b1;
          beat_q  <= beat_end ? '0 : beat_q + 1'b1;
          if (beat_end) pixel_q <= pixel_end ? '0 : pixel_q + 1'b1;
        end
      end
    end
  end
endmodule
