// A model of the ECP5's block memory, of siliconv's own, in the modes that Yosys and siliconv use: words of 1, 2, 4, 9, 18
// and 36 bits, NOREG and OUTREG, no reset. 1,024 rows of two lanes of 9 bits; a row stands in 20 bits of INITVAL.
//
// Function:   a word of 36 bits is two rows, read and written through both ports: the address of port A writes, that of
//             port B reads. A row that is written in the cycle in which it is read gives its old value.
// Latency:    1 cycle, 2 with OUTREG. Throughput: a word a cycle and port.
module DP16KD #(
    parameter int DATA_WIDTH_A = 18,
    parameter int DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG",
    parameter REGMODE_B = "NOREG",
    parameter RESETMODE = "SYNC",
    parameter ASYNC_RESET_RELEASE = "SYNC",
    parameter CSDECODE_A = "0b000",
    parameter CSDECODE_B = "0b000",
    parameter WRITEMODE_A = "NORMAL",
    parameter WRITEMODE_B = "NORMAL",
    parameter CLKAMUX = "CLKA",
    parameter CLKBMUX = "CLKB",
    parameter GSR = "DISABLED",
    parameter logic [319:0] INITVAL_00 = '0, parameter logic [319:0] INITVAL_01 = '0,
    parameter logic [319:0] INITVAL_02 = '0, parameter logic [319:0] INITVAL_03 = '0,
    parameter logic [319:0] INITVAL_04 = '0, parameter logic [319:0] INITVAL_05 = '0,
    parameter logic [319:0] INITVAL_06 = '0, parameter logic [319:0] INITVAL_07 = '0,
    parameter logic [319:0] INITVAL_08 = '0, parameter logic [319:0] INITVAL_09 = '0,
    parameter logic [319:0] INITVAL_0A = '0, parameter logic [319:0] INITVAL_0B = '0,
    parameter logic [319:0] INITVAL_0C = '0, parameter logic [319:0] INITVAL_0D = '0,
    parameter logic [319:0] INITVAL_0E = '0, parameter logic [319:0] INITVAL_0F = '0,
    parameter logic [319:0] INITVAL_10 = '0, parameter logic [319:0] INITVAL_11 = '0,
    parameter logic [319:0] INITVAL_12 = '0, parameter logic [319:0] INITVAL_13 = '0,
    parameter logic [319:0] INITVAL_14 = '0, parameter logic [319:0] INITVAL_15 = '0,
    parameter logic [319:0] INITVAL_16 = '0, parameter logic [319:0] INITVAL_17 = '0,
    parameter logic [319:0] INITVAL_18 = '0, parameter logic [319:0] INITVAL_19 = '0,
    parameter logic [319:0] INITVAL_1A = '0, parameter logic [319:0] INITVAL_1B = '0,
    parameter logic [319:0] INITVAL_1C = '0, parameter logic [319:0] INITVAL_1D = '0,
    parameter logic [319:0] INITVAL_1E = '0, parameter logic [319:0] INITVAL_1F = '0,
    parameter logic [319:0] INITVAL_20 = '0, parameter logic [319:0] INITVAL_21 = '0,
    parameter logic [319:0] INITVAL_22 = '0, parameter logic [319:0] INITVAL_23 = '0,
    parameter logic [319:0] INITVAL_24 = '0, parameter logic [319:0] INITVAL_25 = '0,
    parameter logic [319:0] INITVAL_26 = '0, parameter logic [319:0] INITVAL_27 = '0,
    parameter logic [319:0] INITVAL_28 = '0, parameter logic [319:0] INITVAL_29 = '0,
    parameter logic [319:0] INITVAL_2A = '0, parameter logic [319:0] INITVAL_2B = '0,
    parameter logic [319:0] INITVAL_2C = '0, parameter logic [319:0] INITVAL_2D = '0,
    parameter logic [319:0] INITVAL_2E = '0, parameter logic [319:0] INITVAL_2F = '0,
    parameter logic [319:0] INITVAL_30 = '0, parameter logic [319:0] INITVAL_31 = '0,
    parameter logic [319:0] INITVAL_32 = '0, parameter logic [319:0] INITVAL_33 = '0,
    parameter logic [319:0] INITVAL_34 = '0, parameter logic [319:0] INITVAL_35 = '0,
    parameter logic [319:0] INITVAL_36 = '0, parameter logic [319:0] INITVAL_37 = '0,
    parameter logic [319:0] INITVAL_38 = '0, parameter logic [319:0] INITVAL_39 = '0,
    parameter logic [319:0] INITVAL_3A = '0, parameter logic [319:0] INITVAL_3B = '0,
    parameter logic [319:0] INITVAL_3C = '0, parameter logic [319:0] INITVAL_3D = '0,
    parameter logic [319:0] INITVAL_3E = '0, parameter logic [319:0] INITVAL_3F = '0
) (
    input logic DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    input logic ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input logic CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output logic DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
    input logic DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
    input logic ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input logic CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output logic DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
  localparam logic [20479:0] Contents = {
      INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
      INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
      INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
      INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
      INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
      INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
      INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
      INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
  };
  localparam bit Wide = DATA_WIDTH_B == 36;
  logic [17:0] rows[1024];
  initial for (int row = 0; row < 1024; row++) rows[row] = Contents[20*row+:18];

  logic [13:0] a, b;
  logic [17:0] in_a, in_b, read_a, read_b, late_a, late_b;
  assign a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  assign b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  assign in_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  assign in_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};

  // Which bits of a row a word is: the lane of 9 bits, then the place in it.
  function automatic logic [4:0] place(input int width, input logic [3:0] low);
    case (width)
      9: place = low[3] ? 5'd9 : 5'd0;
      4: place = (low[3] ? 5'd9 : 5'd0) + (low[2] ? 5'd4 : 5'd0);
      2: place = (low[3] ? 5'd9 : 5'd0) + {2'b0, low[2:1], 1'b0};
      1: place = (low[3] ? 5'd9 : 5'd0) + {2'b0, low[2:0]};
      default: place = 5'd0;
    endcase
  endfunction

  function automatic logic [17:0] mask(input int width, input logic [3:0] low);
    case (width)
      36, 18: mask = {{9{low[1]}}, {9{low[0]}}};
      default: mask = ((18'd1 << width) - 18'd1) << place(width, low);
    endcase
  endfunction

  logic [17:0] mask_a, mask_b, mask_high;
  logic [9:0] row_a, row_b;
  assign mask_a = mask(DATA_WIDTH_A, a[3:0]);
  assign mask_b = mask(DATA_WIDTH_B, b[3:0]);
  assign mask_high = {{9{a[3]}}, {9{a[2]}}};
  assign row_a = DATA_WIDTH_A == 36 ? {a[13:5], 1'b0} : a[13:4];
  assign row_b = Wide ? {b[13:5], 1'b0} : b[13:4];

  always_ff @(posedge CLKA) begin
    if (CEA) begin
      if (~Wide) read_a <= rows[row_a] >> place(DATA_WIDTH_A, a[3:0]);
      if (WEA) begin
        rows[row_a] <= (rows[row_a] & ~mask_a) | ((in_a << place(DATA_WIDTH_A, a[3:0])) & mask_a);
        if (DATA_WIDTH_A == 36) rows[row_a|10'd1] <= (rows[row_a|10'd1] & ~mask_high) | (in_b & mask_high);
      end
    end
    if (~Wide & OCEA) late_a <= read_a;
  end

  logic [17:0] low_b, low_late_b;
  always_ff @(posedge CLKB) begin
    if (CEB) begin
      low_b  <= rows[row_b];
      read_b <= Wide ? rows[row_b|10'd1] : rows[row_b] >> place(DATA_WIDTH_B, b[3:0]);
    end
    if (OCEB) begin
      low_late_b <= low_b;
      late_b <= read_b;
    end
  end

  logic [17:0] out_a, out_b;
  assign out_a = Wide ? (REGMODE_A == "OUTREG" ? low_late_b : low_b) : REGMODE_A == "OUTREG" ? late_a : read_a;
  assign out_b = REGMODE_B == "OUTREG" ? late_b : read_b;
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = out_a;
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = out_b;
  logic unused;
  assign unused = RSTA ^ RSTB ^ WEB ^ CSA2 ^ CSA1 ^ CSA0 ^ CSB2 ^ CSB1 ^ CSB0 ^ (^mask_b);
endmodule
