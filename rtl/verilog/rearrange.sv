// Elements in another order, left out or repeated: axes swapped, cropped, and each place repeated.
//
// Function:   A ring buffer keeps whole parts of the image: its rows, or the image where rows are swapped with others.
//             Of each image, part `First` and those behind it are read, `Kept` of them, each `Repeats` times. Within a
//             part three axes are walked over, axis 0 fastest: from word `Start` on, `KeptN` places `StepN` words
//             apart, each place `RepeatsN` times.
// Latency:    a word leaves 3 cycles after its part's last word came, at the earliest.
// Throughput: a word a cycle on both sides, while one part is read and the next one is written.
module rearrange #(
    parameter int unsigned Lanes = 1,
    parameter int unsigned XWidth = 8,
    parameter int unsigned Parts = 1,  // of an image
    parameter int unsigned PartWords = 1,
    parameter int unsigned First = 0,
    parameter int unsigned Kept = 1,
    parameter int unsigned Repeats = 1,
    parameter int unsigned Start = 0,
    parameter int unsigned Kept2 = 1,
    parameter int unsigned Step2 = 0,
    parameter int unsigned Repeats2 = 1,
    parameter int unsigned Kept1 = 1,
    parameter int unsigned Step1 = 0,
    parameter int unsigned Repeats1 = 1,
    parameter int unsigned Kept0 = 1,
    parameter int unsigned Step0 = 1,
    parameter int unsigned Repeats0 = 1,
    parameter int unsigned LogRing = 4,  // 2^LogRing words
    // finish.sv
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
    input  logic                      valid_i,
    output logic                      ready_o,
    input  logic [  Lanes*XWidth-1:0] data_i,
    output logic                      valid_o,
    input  logic                      ready_i,
    output logic [Lanes*OutWidth-1:0] data_o
);
  localparam int unsigned Ring = 1 << LogRing;
  localparam int unsigned NextImage = (Parts - Kept + 1) * PartWords;
  localparam int unsigned Level = $clog2(Ring + (First + 1) * PartWords + NextImage + 1) + 1;
  localparam int unsigned Width = Lanes * XWidth;

  // ---- the writer
  logic [LogRing-1:0] put_q;
  logic [Level-1:0] space_q;  // free places less one
  logic push, push_q;
  logic [Width-1:0] word_q;
  assign ready_o = ~space_q[Level-1];
  assign push = ready_o & valid_i;
  always_ff @(posedge clk_i) begin
    word_q <= data_i;
    if (rst_i) begin
      push_q <= 1'b0;
      put_q  <= '0;
    end else begin
      push_q <= push;
      if (push_q) put_q <= put_q + 1'b1;
    end
  end

  // ---- the reader: five counters, the fastest first, and what the address grows by at each one's end
  logic [4:0] ends, at_end;  // of axis 0, 1, 2, of the repeats of a part, of the parts
  logic [LogRing-1:0] base_q, offset;
  logic [Level-1:0] spare_q;  // words beyond those of this part; negative while it lacks some
  logic start, part_end, free;
  logic [1:0] released, released_q;

  assign start = ~spare_q[Level-1] & free;
  assign at_end = {&ends[4:0], &ends[3:0], &ends[2:0], &ends[1:0], ends[0]};
  assign part_end = start & at_end[3];

  logic [2:0][LogRing-1:0] offsets;
  axis_counter #(.Kept(Kept0), .Repeats(Repeats0), .Step(Step0), .Bits(LogRing))
  u_axis_0 (.clk_i, .rst_i, .step_i(start), .end_o(ends[0]), .offset_o(offsets[0]));
  axis_counter #(.Kept(Kept1), .Repeats(Repeats1), .Step(Step1), .Bits(LogRing))
  u_axis_1 (.clk_i, .rst_i, .step_i(start & at_end[0]), .end_o(ends[1]), .offset_o(offsets[1]));
  axis_counter #(.Kept(Kept2), .Repeats(Repeats2), .Step(Step2), .Bits(LogRing))
  u_axis_2 (.clk_i, .rst_i, .step_i(start & at_end[1]), .end_o(ends[2]), .offset_o(offsets[2]));
  logic [1:0][LogRing-1:0] unused_offsets;
  axis_counter #(.Kept(Repeats), .Repeats(1), .Step(0), .Bits(LogRing))
  u_repeat (.clk_i, .rst_i, .step_i(start & at_end[2]), .end_o(ends[3]), .offset_o(unused_offsets[0]));
  axis_counter #(.Kept(Kept), .Repeats(1), .Step(0), .Bits(LogRing))
  u_part (.clk_i, .rst_i, .step_i(start & at_end[3]), .end_o(ends[4]), .offset_o(unused_offsets[1]));
  logic unused;
  assign unused = ^unused_offsets;
  assign offset = offsets[0] + offsets[1] + offsets[2];

  // ---- how full it is; each side hears of the other a cycle later
  function automatic logic [Level-1:0] change(input logic pushed, input logic [1:0] kind);
    case (kind)
      2'd0: change = Level'(pushed);
      2'd1: change = pushed ? Level'(0 - (PartWords - 1)) : Level'(0 - PartWords);
      default: change = pushed ? Level'(0 - (NextImage - 1)) : Level'(0 - NextImage);
    endcase
  endfunction
  assign released = ~part_end ? 2'd0 : at_end[4] ? 2'd2 : 2'd1;
  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      base_q <= LogRing'(First * PartWords + Start);
      space_q <= Level'(Ring - 1 + First * PartWords);
      spare_q <= Level'(0 - (First + 1) * PartWords);
      released_q <= 2'd0;
    end else begin
      if (part_end) base_q <= base_q + (at_end[4] ? LogRing'(NextImage) : LogRing'(PartWords));
      released_q <= released;
      space_q <= space_q - change(push, released_q);
      spare_q <= spare_q + change(push_q, released);
    end
  end

  // ---- the ring, with a register before and behind it
  (* no_rw_check *) logic [Width-1:0] ring[Ring];
  logic [LogRing-1:0] address_q;
  logic [Width-1:0] read_q, data_q;
  logic [2:0] put_late_q;
  always_ff @(posedge clk_i) begin
    if (push_q) ring[put_q] <= word_q;
    address_q <= base_q + offset;
    read_q <= ring[address_q];
    data_q <= read_q;
  end
  always_ff @(posedge clk_i) begin
    if (rst_i) put_late_q <= '0;
    else put_late_q <= {put_late_q[1:0], start};
  end

  finish #(
      .Lanes(Lanes),
      .Requantize(Requantize),
      .InWidth(XWidth),
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
      .take_i(start),
      .free_o(free),
      .put_i (put_late_q[2]),
      .data_i(data_q),
      .valid_o,
      .ready_i,
      .data_o
  );
endmodule
