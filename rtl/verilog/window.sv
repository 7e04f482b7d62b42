// A ring buffer that is read by address: the window of every convolution, dense layer, pooling and branch.
//
// Function:   The writer walks over the padded image, one word a cycle: a word of the stream, or `PadWord` where there
//             is padding. The reader gives each output pixel's window word by word ("taps"), `Repeats` times. A window
//             starts two cycles after its last word came, when `free_i` says that there is room for the result; from
//             then on a tap comes each cycle. No word of a window stands in a register. Pixels > 1: so many windows of
//             a row at a time, each read from a copy of the ring, pixel 0 in the low bits. Order of taps: pixel,
//             repeat, kernel row, then Lanewise = 0: all words of the kernel row's columns (they follow each other in
//             the ring); Lanewise = 1: the same word of each column, and the repeat is the number of that word.
// Latency:    2 cycles from the issue of a tap (`start_o` marks the first of a result) to `tap_o` with its word.
// Throughput: a tap a cycle; OutRows * OutColumns * Repeats * taps cycles an image, at least the padded image's words.
module window #(
    parameter int unsigned Width = 8,  // bits of a word
    parameter int unsigned Rows = 1,  // of the image
    parameter int unsigned Columns = 1,
    parameter int unsigned Words = 1,  // of a pixel
    parameter int unsigned PadTop = 0,
    parameter int unsigned PadBottom = 0,
    parameter int unsigned PadLeft = 0,
    parameter int unsigned PadRight = 0,
    parameter logic [Width-1:0] PadWord = '0,
    parameter int unsigned KernelRows = 1,
    parameter int unsigned KernelColumns = 1,
    parameter int unsigned StrideRows = 1,
    parameter int unsigned StrideColumns = 1,
    parameter int unsigned OutRows = 1,
    parameter int unsigned OutColumns = 1,
    parameter int unsigned Repeats = 1,  // results a pixel
    parameter int unsigned Pixels = 1,  // of a row at a time; a divisor of OutColumns
    parameter bit Lanewise = 0,
    parameter int unsigned LogRing = 4  // 2^LogRing words
) (
    input  logic             clk_i,
    input  logic             rst_i,
    input  logic             valid_i,
    output logic             ready_o,
    input  logic [Width-1:0] data_i,
    input  logic             free_i,
    output logic             start_o,
    output logic             issue_o,  // a tap is issued, its word comes two cycles later
    output logic             pixel_o,  // it is the last one of an output pixel, or of so many
    output logic             tap_o,
    output logic             first_o,
    output logic             last_o,
    output logic [Pixels*Width-1:0] data_o
);
  localparam int unsigned AllRows = PadTop + Rows + PadBottom;
  localparam int unsigned AllColumns = PadLeft + Columns + PadRight;
  localparam int unsigned RowStep = AllColumns * Words;
  localparam int unsigned Run = Lanewise ? KernelColumns : KernelColumns * Words;
  localparam int unsigned RunStep = Lanewise ? Words : 1;
  localparam int unsigned RepeatStep = Lanewise ? 1 : 0;
  localparam int unsigned Ring = 1 << LogRing;
  localparam int unsigned Taps = KernelRows * Run;

  // From the first word of a window: to the end of the window, and to the first word of the next one.
  localparam int unsigned Beside = StrideColumns * Words;
  localparam int unsigned Need = ((KernelRows - 1) * AllColumns + KernelColumns) * Words + (Pixels - 1) * Beside;
  localparam int unsigned NextPixel = Pixels * Beside;
  localparam int unsigned NextRow = StrideRows * RowStep - (OutColumns - Pixels) * Beside;
  localparam int unsigned NextImage = (AllRows - (OutRows - 1) * StrideRows) * RowStep - (OutColumns - Pixels) * Beside;
  localparam int unsigned Groups = OutColumns / Pixels;
  // A level lies between -(largest step) and Ring, and is compared by its sign.
  localparam int unsigned Level = $clog2(Ring + Need + NextPixel + NextRow + NextImage + 1) + 1;

  // What the address grows by, modulo the ring.
  localparam int unsigned Back = (KernelRows - 1) * RowStep + (Run - 1) * RunStep;
  localparam int unsigned BackAll = Back + (Repeats - 1) * RepeatStep;
  localparam logic [LogRing-1:0] StepTap = LogRing'(RunStep);
  localparam logic [LogRing-1:0] StepKernelRow = LogRing'(RowStep - (Run - 1) * RunStep);
  localparam logic [LogRing-1:0] StepRepeat = LogRing'(RepeatStep - Back);
  localparam logic [LogRing-1:0] StepPixel = LogRing'(NextPixel - BackAll);
  localparam logic [LogRing-1:0] StepRow = LogRing'(NextRow - BackAll);
  localparam logic [LogRing-1:0] StepImage = LogRing'(NextImage - BackAll);

  // Counters of one value need no flip-flop, but a bit to be written.
  localparam int unsigned WordBits = Words > 1 ? $clog2(Words) : 1;
  localparam int unsigned ColumnBits = AllColumns > 1 ? $clog2(AllColumns) : 1;
  localparam int unsigned RowBits = AllRows > 1 ? $clog2(AllRows) : 1;
  localparam int unsigned RunBits = Run > 1 ? $clog2(Run) : 1;
  localparam int unsigned KernelRowBits = KernelRows > 1 ? $clog2(KernelRows) : 1;
  localparam int unsigned RepeatBits = Repeats > 1 ? $clog2(Repeats) : 1;
  localparam int unsigned OutColumnBits = Groups > 1 ? $clog2(Groups) : 1;
  localparam int unsigned OutRowBits = OutRows > 1 ? $clog2(OutRows) : 1;

  // ---- the writer
  logic [WordBits-1:0] in_word_q;
  logic [ColumnBits-1:0] in_column_q;
  logic [RowBits-1:0] in_row_q;
  logic [LogRing-1:0] put_q;
  logic [Level-1:0] space_q;  // free places less one
  logic word_end_q, column_end_q, row_end_q, real_column_q, real_row_q, real_word, room, push, push_q;
  logic [Width-1:0] word_q;

  // Ends and real words are flags of their own, set with the counters: no comparison stands before a decision.
  assign real_word = real_row_q & real_column_q;
  assign room = ~space_q[Level-1];
  assign ready_o = room & real_word;
  assign push = room & (valid_i | ~real_word);

  // A register before the memory, which may stand far away.
  always_ff @(posedge clk_i) begin
    word_q <= real_word ? data_i : PadWord;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      push_q <= 1'b0;
      put_q  <= '0;
    end else begin
      push_q <= push;
      if (push_q) put_q <= put_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_word_q <= '0;
      in_column_q <= '0;
      in_row_q <= '0;
      word_end_q <= Words == 1;
      column_end_q <= AllColumns == 1;
      row_end_q <= AllRows == 1;
      real_column_q <= PadLeft == 0;
      real_row_q <= PadTop == 0;
    end else if (push) begin
      in_word_q <= word_end_q ? '0 : in_word_q + 1'b1;
      word_end_q <= word_end_q ? Words == 1 : in_word_q == WordBits'(Words - 2);
      if (word_end_q) begin
        in_column_q  <= column_end_q ? '0 : in_column_q + 1'b1;
        column_end_q <= column_end_q ? AllColumns == 1 : in_column_q == ColumnBits'(AllColumns - 2);
        if (column_end_q) real_column_q <= PadLeft == 0;
        else if (PadLeft > 0 && in_column_q == ColumnBits'(PadLeft - 1)) real_column_q <= 1'b1;
        else if (PadRight > 0 && in_column_q == ColumnBits'(PadLeft + Columns - 1)) real_column_q <= 1'b0;
        if (column_end_q) begin
          in_row_q  <= row_end_q ? '0 : in_row_q + 1'b1;
          row_end_q <= row_end_q ? AllRows == 1 : in_row_q == RowBits'(AllRows - 2);
          if (row_end_q) real_row_q <= PadTop == 0;
          else if (PadTop > 0 && in_row_q == RowBits'(PadTop - 1)) real_row_q <= 1'b1;
          else if (PadBottom > 0 && in_row_q == RowBits'(PadTop + Rows - 1)) real_row_q <= 1'b0;
        end
      end
    end
  end

  // ---- the reader
  logic [RunBits-1:0] run_q;
  logic [KernelRowBits-1:0] kernel_row_q;
  logic [RepeatBits-1:0] repeat_q;
  logic [OutColumnBits-1:0] out_column_q;
  logic [OutRowBits-1:0] out_row_q;
  logic [LogRing-1:0] step;
  logic [Level-1:0] spare_q;  // words beyond those that the window needs; negative while it lacks some
  logic [1:0] released, released_q;  // words that no window wants any more: see `change`
  logic busy_q, issue, run_end_q, kernel_row_end_q, repeat_end_q, out_column_end_q, out_row_end_q;
  logic taps_end, pixel_end, last_tap, release_pixel;

  assign taps_end = run_end_q & kernel_row_end_q;
  assign pixel_end = taps_end & repeat_end_q;
  assign start_o = ~busy_q & ~spare_q[Level-1] & free_i;
  assign issue = busy_q | start_o;
  assign issue_o = issue;
  // The last of several taps is not the first one: then the start, which is known late, has no part in it.
  assign last_tap = (Taps > 1 ? busy_q : issue) & taps_end;
  assign release_pixel = last_tap & repeat_end_q;
  assign pixel_o = release_pixel;

  always_comb begin
    step = StepTap;
    if (pixel_end) step = ~out_column_end_q ? StepPixel : out_row_end_q ? StepImage : StepRow;
    else if (taps_end) step = StepRepeat;
    else if (run_end_q) step = StepKernelRow;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      busy_q <= 1'b0;
      run_q <= '0;
      kernel_row_q <= '0;
      run_end_q <= Run == 1;
      kernel_row_end_q <= KernelRows == 1;
    end else if (issue) begin
      busy_q <= ~taps_end;
      run_q <= run_end_q ? '0 : run_q + 1'b1;
      run_end_q <= run_end_q ? Run == 1 : run_q == RunBits'(Run - 2);
      if (run_end_q) begin
        kernel_row_q <= taps_end ? '0 : kernel_row_q + 1'b1;
        kernel_row_end_q <= taps_end ? KernelRows == 1 : kernel_row_q == KernelRowBits'(KernelRows - 2);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      repeat_q <= '0;
      out_column_q <= '0;
      out_row_q <= '0;
      repeat_end_q <= Repeats == 1;
      out_column_end_q <= Groups == 1;
      out_row_end_q <= OutRows == 1;
    end else if (last_tap) begin
      repeat_q <= repeat_end_q ? '0 : repeat_q + 1'b1;
      repeat_end_q <= repeat_end_q ? Repeats == 1 : repeat_q == RepeatBits'(Repeats - 2);
      if (repeat_end_q) begin
        out_column_q <= out_column_end_q ? '0 : out_column_q + 1'b1;
        out_column_end_q <= out_column_end_q ? Groups == 1 : out_column_q == OutColumnBits'(Groups - 2);
        if (out_column_end_q) begin
          out_row_q <= out_row_end_q ? '0 : out_row_q + 1'b1;
          out_row_end_q <= out_row_end_q ? OutRows == 1 : out_row_q == OutRowBits'(OutRows - 2);
        end
      end
    end
  end

  // ---- how full it is: one addition of a constant that is chosen; each side hears of the other a cycle later.
  // Yosys 0.70 reads a sign before a cast as part of its size, hence the subtractions.
  function automatic logic [Level-1:0] change(input logic pushed, input logic [1:0] kind);
    case (kind)
      2'd0: change = Level'(pushed);
      2'd1: change = pushed ? Level'(0 - (NextPixel - 1)) : Level'(0 - NextPixel);
      2'd2: change = pushed ? Level'(0 - (NextRow - 1)) : Level'(0 - NextRow);
      default: change = pushed ? Level'(0 - (NextImage - 1)) : Level'(0 - NextImage);
    endcase
  endfunction

  assign released = ~release_pixel ? 2'd0 : ~out_column_end_q ? 2'd1 : out_row_end_q ? 2'd3 : 2'd2;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      space_q <= Level'(Ring - 1);
      spare_q <= Level'(0 - Need);
      released_q <= 2'd0;
    end else begin
      released_q <= released;
      space_q <= space_q - change(push, released_q);
      spare_q <= spare_q + change(push_q, released);
    end
  end

  // ---- the ring, once for each window that is read, and two registers behind the memory, as it wants them
  for (genvar p = 0; p < Pixels; p++) begin : gen_ring
    (* no_rw_check *) logic [Width-1:0] ring[Ring];
    logic [LogRing-1:0] tap_q;
    logic [Width-1:0] read_q;
    always_ff @(posedge clk_i) begin
      if (rst_i) tap_q <= LogRing'(p * Beside);
      else if (issue) tap_q <= tap_q + step;
    end
    always_ff @(posedge clk_i) begin
      if (push_q) ring[put_q] <= word_q;
      read_q <= ring[tap_q];
      data_o[p*Width+:Width] <= read_q;
    end
  end

  logic tap1_q, first1_q, last1_q;
  always_ff @(posedge clk_i) begin
    first1_q <= start_o;
    last1_q <= taps_end;
    first_o <= first1_q;
    last_o <= last1_q;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      tap1_q <= 1'b0;
      tap_o  <= 1'b0;
    end else begin
      tap1_q <= issue;
      tap_o  <= tap1_q;
    end
  end
endmodule
