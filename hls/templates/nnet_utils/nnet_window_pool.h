#ifndef NNET_WINDOW_POOL_H_
#define NNET_WINDOW_POOL_H_

// Maximum or average over windows of any size, stride and padding. Padding never wins a maximum and is not counted in
// an average. The average divides the sum in the accumulator's type, so it is truncated towards zero at its last place.

#include "nnet_common.h"
#include "nnet_dialect.h"

namespace nnet {

struct window_pool_config {
    static const int in_height = 1;
    static const int in_width = 10;
    static const int out_height = 1;
    static const int out_width = 10;
    static const int n_chan = 1;
    static const int pool_height = 1;
    static const int pool_width = 2;
    static const int stride_height = 1;
    static const int stride_width = 2;
    static const int pad_top = 0;
    static const int pad_left = 0;
    static const bool average = false;
};

// One output: the window's first row and column may lie in the padding. CONFIG_T::accum_t holds every partial sum.
template <class data_T, typename CONFIG_T>
typename CONFIG_T::accum_t pool_one_window(data_T window[CONFIG_T::pool_height * CONFIG_T::pool_width], int row, int col) {
    #pragma HLS INLINE

    typename CONFIG_T::accum_t pooled = 0;
    unsigned count = 0;
PoolRow:
    for (int i = 0; i < CONFIG_T::pool_height; i++) {
        #pragma HLS UNROLL
    PoolCol:
        for (int j = 0; j < CONFIG_T::pool_width; j++) {
            #pragma HLS UNROLL
            bool inside = row + i >= 0 && row + i < CONFIG_T::in_height && col + j >= 0 && col + j < CONFIG_T::in_width;
            if (inside) {
                typename CONFIG_T::accum_t element = window[i * CONFIG_T::pool_width + j];
                if (CONFIG_T::average) {
                    pooled += element;
                } else if (count == 0 || element > pooled) {
                    pooled = element;
                }
                count++;
            }
        }
    }
    if (CONFIG_T::average) {
        pooled = pooled / count;
    }
    return pooled;
}

template <class data_T, class res_T, typename CONFIG_T>
void window_pool(data_T data[CONFIG_T::in_height * CONFIG_T::in_width * CONFIG_T::n_chan],
                 res_T res[CONFIG_T::out_height * CONFIG_T::out_width * CONFIG_T::n_chan]) {
    #pragma HLS PIPELINE

    data_T window[CONFIG_T::pool_height * CONFIG_T::pool_width];
    #pragma HLS ARRAY_PARTITION variable=window complete

    for (int y = 0; y < CONFIG_T::out_height; y++) {
        for (int x = 0; x < CONFIG_T::out_width; x++) {
            const int row = y * CONFIG_T::stride_height - CONFIG_T::pad_top;
            const int col = x * CONFIG_T::stride_width - CONFIG_T::pad_left;
            for (int c = 0; c < CONFIG_T::n_chan; c++) {
                for (int i = 0; i < CONFIG_T::pool_height; i++) {
                    for (int j = 0; j < CONFIG_T::pool_width; j++) {
                        bool inside = row + i >= 0 && row + i < CONFIG_T::in_height && col + j >= 0 &&
                                      col + j < CONFIG_T::in_width;
                        if (inside)
                            window[i * CONFIG_T::pool_width + j] =
                                data[((row + i) * CONFIG_T::in_width + col + j) * CONFIG_T::n_chan + c];
                    }
                }
                res[(y * CONFIG_T::out_width + x) * CONFIG_T::n_chan + c] =
                    pool_one_window<data_T, CONFIG_T>(window, row, col);
            }
        }
    }
}

// The stream goes through the padded image in raster order, a pixel a cycle; lines keeps the rows above.
template <class data_T, class res_T, typename CONFIG_T>
void window_pool(channel<data_T> &data, channel<res_T> &res) {
    typedef typename data_T::value_type value_T;

    constexpr int covered_rows = (CONFIG_T::out_height - 1) * CONFIG_T::stride_height + CONFIG_T::pool_height;
    constexpr int covered_cols = (CONFIG_T::out_width - 1) * CONFIG_T::stride_width + CONFIG_T::pool_width;
    constexpr int rows =
        covered_rows > CONFIG_T::pad_top + CONFIG_T::in_height ? covered_rows : CONFIG_T::pad_top + CONFIG_T::in_height;
    constexpr int cols =
        covered_cols > CONFIG_T::pad_left + CONFIG_T::in_width ? covered_cols : CONFIG_T::pad_left + CONFIG_T::in_width;

    value_T lines[CONFIG_T::pool_height][CONFIG_T::n_chan][cols];
    #pragma HLS ARRAY_PARTITION variable=lines complete dim=1
    #pragma HLS ARRAY_PARTITION variable=lines complete dim=2
    value_T window[CONFIG_T::n_chan][CONFIG_T::pool_height * CONFIG_T::pool_width];
    #pragma HLS ARRAY_PARTITION variable=window complete dim=0

PadRow:
    for (int r = 0; r < rows; r++) {
    PadCol:
        for (int q = 0; q < cols; q++) {
            #pragma HLS LOOP_FLATTEN
            #pragma HLS PIPELINE

            const int row = r - CONFIG_T::pad_top, col = q - CONFIG_T::pad_left;
            data_T pixel;
            if (row >= 0 && row < CONFIG_T::in_height && col >= 0 && col < CONFIG_T::in_width)
                pixel = data.read();

        Shift:
            for (int c = 0; c < CONFIG_T::n_chan; c++) {
                #pragma HLS UNROLL
                for (int i = 0; i < CONFIG_T::pool_height; i++) {
                    #pragma HLS UNROLL
                    for (int j = 0; j < CONFIG_T::pool_width - 1; j++) {
                        #pragma HLS UNROLL
                        window[c][i * CONFIG_T::pool_width + j] = window[c][i * CONFIG_T::pool_width + j + 1];
                    }
                    value_T element = i + 1 < CONFIG_T::pool_height ? lines[i + 1][c][q] : value_T(pixel[c]);
                    lines[i][c][q] = element;
                    window[c][i * CONFIG_T::pool_width + CONFIG_T::pool_width - 1] = element;
                }
            }

            const int top = r - (CONFIG_T::pool_height - 1), left = q - (CONFIG_T::pool_width - 1);
            const bool complete = top >= 0 && left >= 0 && top % CONFIG_T::stride_height == 0 &&
                                  left % CONFIG_T::stride_width == 0 &&
                                  top / CONFIG_T::stride_height < CONFIG_T::out_height &&
                                  left / CONFIG_T::stride_width < CONFIG_T::out_width;
            if (complete) {
                res_T out_pack;
                NNET_DATA_PACK(out_pack)
            Pool:
                for (int c = 0; c < CONFIG_T::n_chan; c++) {
                    #pragma HLS UNROLL
                    out_pack[c] = pool_one_window<value_T, CONFIG_T>(window[c], top - CONFIG_T::pad_top,
                                                                     left - CONFIG_T::pad_left);
                }
                res.write(out_pack);
            }
        }
    }
}

} // namespace nnet

#endif
