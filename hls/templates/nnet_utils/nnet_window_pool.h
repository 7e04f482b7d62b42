#ifndef NNET_WINDOW_POOL_H_
#define NNET_WINDOW_POOL_H_

// Maximum or average over windows of any size, stride and padding. Padding never wins a maximum and is not counted in
// an average. The average divides the sum in the accumulator's type, so it is truncated towards zero at its last place.

#include "nnet_common.h"
#include "nnet_dialect.h"
#include "nnet_windows.h"

namespace nnet {

struct window_pool_config {
    static const int in_height = 1;
    static const int in_width = 10;
    static const int out_height = 1;
    static const int out_width = 10;
    static const int n_chan = 1;
    static const int window_height = 1;
    static const int window_width = 2;
    static const int stride_height = 1;
    static const int stride_width = 2;
    static const int pad_top = 0;
    static const int pad_left = 0;
    static const bool average = false;
};

// A sum over the number of its elements. Every divisor is a constant: one that is known at run time alone costs a divider
// in each channel.
template <typename CONFIG_T>
typename CONFIG_T::accum_t mean_of_elements(const typename CONFIG_T::accum_t &sum, unsigned count) {
    #pragma HLS INLINE

    if (window_walk<CONFIG_T>::whole)
        return typename CONFIG_T::accum_t(sum / unsigned(window_walk<CONFIG_T>::size));
    NNET_REGISTER typename CONFIG_T::accum_t mean = 0;
    NNET_UNROLL
    for (int rows = 1; rows <= CONFIG_T::window_height; rows++) {
        #pragma HLS UNROLL
        NNET_UNROLL
        for (int cols = 1; cols <= CONFIG_T::window_width; cols++) {
            #pragma HLS UNROLL
            if (count == unsigned(rows * cols))
                mean = typename CONFIG_T::accum_t(sum / unsigned(rows * cols));
        }
    }
    return mean;
}

// One output: the window's first row and column may lie in the padding. CONFIG_T::accum_t holds every partial sum.
template <class data_T, typename CONFIG_T>
typename CONFIG_T::accum_t pool_one_window(data_T window[CONFIG_T::window_height * CONFIG_T::window_width], int row, int col) {
    #pragma HLS INLINE

    NNET_REGISTER typename CONFIG_T::accum_t pooled = 0;
    unsigned count = 0;
    NNET_UNROLL
    for (int i = 0; i < CONFIG_T::window_height; i++) {
        #pragma HLS UNROLL
        NNET_UNROLL
        for (int j = 0; j < CONFIG_T::window_width; j++) {
            #pragma HLS UNROLL
            if (inside_image<CONFIG_T>(row + i, col + j)) {
                typename CONFIG_T::accum_t element = window[i * CONFIG_T::window_width + j];
                if (CONFIG_T::average) {
                    pooled += element;
                } else if (count == 0 || element > pooled) {
                    pooled = element;
                }
                count++;
            }
        }
    }
    if (CONFIG_T::average)
        pooled = mean_of_elements<CONFIG_T>(pooled, count);
    return pooled;
}

template <class data_T, class res_T, typename CONFIG_T>
void window_pool(data_T data[CONFIG_T::in_height * CONFIG_T::in_width * CONFIG_T::n_chan],
                 res_T res[CONFIG_T::out_height * CONFIG_T::out_width * CONFIG_T::n_chan]) {
    #pragma HLS PIPELINE

    data_T window[window_walk<CONFIG_T>::size];
    #pragma HLS ARRAY_PARTITION variable=window complete

    for (int y = 0; y < CONFIG_T::out_height; y++) {
        NNET_PIPELINE
        for (int x = 0; x < CONFIG_T::out_width; x++) {
            const int row = y * CONFIG_T::stride_height - CONFIG_T::pad_top;
            const int col = x * CONFIG_T::stride_width - CONFIG_T::pad_left;
            NNET_UNROLL
            for (int c = 0; c < CONFIG_T::n_chan; c++) {
                collect_window<data_T, CONFIG_T>(data, row, col, c, window);
                res[(y * CONFIG_T::out_width + x) * CONFIG_T::n_chan + c] =
                    pool_one_window<data_T, CONFIG_T>(window, row, col);
            }
        }
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void window_pool(channel<data_T> &data, channel<res_T> &res) {
    typedef typename data_T::value_type value_T;
    typedef window_walk<CONFIG_T> walk;

    // A memory a row, of all channels of a pixel; a place is read again a row later, not before.
    static const int row_length = walk::cols;
    value_T lines[walk::kept_rows][CONFIG_T::n_chan][row_length];
    #pragma HLS ARRAY_PARTITION variable=lines complete dim=1
    #pragma HLS ARRAY_RESHAPE variable=lines complete dim=2
    #pragma HLS DEPENDENCE variable=lines inter RAW distance=row_length true
    NNET_REGISTER value_T window[CONFIG_T::n_chan][walk::size];
    #pragma HLS ARRAY_PARTITION variable=window complete dim=0
    window_ends<CONFIG_T> ends;

    for (int r = 0; r < walk::rows; r++) {
        NNET_PIPELINE
        for (int q = 0; q < walk::cols; q++) {
            #pragma HLS LOOP_FLATTEN
            #pragma HLS PIPELINE

            data_T pixel;
            if (inside_image<CONFIG_T>(r - CONFIG_T::pad_top, q - CONFIG_T::pad_left))
                pixel = data.read();
            shift_windows<data_T, CONFIG_T>(pixel, q, lines, window);

            const int top = r - (CONFIG_T::window_height - 1), left = q - (CONFIG_T::window_width - 1);
            if (ends.at(r, q)) {
                res_T out_pack;
                NNET_DATA_PACK(out_pack)
                NNET_UNROLL
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
