#ifndef NNET_WINDOWS_H_
#define NNET_WINDOWS_H_

// The windows of a streamed image. The stream goes through the padded image in raster order, a pixel a cycle; the last
// rows stay in lines, and window holds what lies under the window that ends at the present pixel, a channel at a time.

#include "nnet_common.h"
#include "nnet_dialect.h"

namespace nnet {

template <typename CONFIG_T> struct window_walk {
    static const int covered_rows = (CONFIG_T::out_height - 1) * CONFIG_T::stride_height + CONFIG_T::window_height;
    static const int covered_cols = (CONFIG_T::out_width - 1) * CONFIG_T::stride_width + CONFIG_T::window_width;
    static const int image_rows = CONFIG_T::pad_top + CONFIG_T::in_height;
    static const int image_cols = CONFIG_T::pad_left + CONFIG_T::in_width;
    static const int rows = covered_rows > image_rows ? covered_rows : image_rows;
    static const int cols = covered_cols > image_cols ? covered_cols : image_cols;
    static const int size = CONFIG_T::window_height * CONFIG_T::window_width;
};

template <typename CONFIG_T> bool inside_image(int row, int col) {
    #pragma HLS INLINE
    return row >= 0 && row < CONFIG_T::in_height && col >= 0 && col < CONFIG_T::in_width;
}

// Whether a window whose first row and column are these, counted from the padded image's, is one of the layer's.
template <typename CONFIG_T> bool is_window(int top, int left) {
    #pragma HLS INLINE
    return top >= 0 && left >= 0 && top % CONFIG_T::stride_height == 0 && left % CONFIG_T::stride_width == 0 &&
           top / CONFIG_T::stride_height < CONFIG_T::out_height && left / CONFIG_T::stride_width < CONFIG_T::out_width;
}

template <class data_T, typename CONFIG_T>
void shift_windows(const data_T &pixel, int col,
                   typename data_T::value_type lines[CONFIG_T::window_height][CONFIG_T::n_chan][window_walk<CONFIG_T>::cols],
                   typename data_T::value_type window[CONFIG_T::n_chan][window_walk<CONFIG_T>::size]) {
    #pragma HLS INLINE

    typedef typename data_T::value_type value_T;
    NNET_UNROLL
    for (int c = 0; c < CONFIG_T::n_chan; c++) {
        #pragma HLS UNROLL
        NNET_UNROLL
        for (int i = 0; i < CONFIG_T::window_height; i++) {
            #pragma HLS UNROLL
            NNET_UNROLL
            for (int j = 0; j < CONFIG_T::window_width - 1; j++) {
                #pragma HLS UNROLL
                window[c][i * CONFIG_T::window_width + j] = window[c][i * CONFIG_T::window_width + j + 1];
            }
            value_T element = i + 1 < CONFIG_T::window_height ? lines[i + 1][c][col] : value_T(pixel[c]);
            lines[i][c][col] = element;
            window[c][i * CONFIG_T::window_width + CONFIG_T::window_width - 1] = element;
        }
    }
}

// Collects the window of one channel from an image that is there at once; what lies in the padding stays as it is.
template <class data_T, typename CONFIG_T>
void collect_window(data_T data[CONFIG_T::in_height * CONFIG_T::in_width * CONFIG_T::n_chan], int row, int col, int c,
                    data_T window[window_walk<CONFIG_T>::size]) {
    #pragma HLS INLINE

    NNET_UNROLL
    for (int i = 0; i < CONFIG_T::window_height; i++) {
        NNET_UNROLL
        for (int j = 0; j < CONFIG_T::window_width; j++) {
            if (inside_image<CONFIG_T>(row + i, col + j))
                window[i * CONFIG_T::window_width + j] =
                    data[((row + i) * CONFIG_T::in_width + col + j) * CONFIG_T::n_chan + c];
        }
    }
}

} // namespace nnet

#endif
