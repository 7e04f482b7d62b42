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
    // Rows that are kept: those of a window above the present one.
    static const int kept_rows = CONFIG_T::window_height > 1 ? CONFIG_T::window_height - 1 : 1;
    // Whether every window lies in the image with all its pixels.
    static const bool whole = CONFIG_T::pad_top == 0 && CONFIG_T::pad_left == 0 && covered_rows <= CONFIG_T::in_height &&
                              covered_cols <= CONFIG_T::in_width;
};

template <typename CONFIG_T> bool inside_image(int row, int col) {
    #pragma HLS INLINE
    return row >= 0 && row < CONFIG_T::in_height && col >= 0 && col < CONFIG_T::in_width;
}

// Where the windows of a layer end in the padded image, counted on its way: strides need no division.
template <typename CONFIG_T> struct window_ends {
    int row, col;             // of the next one
    int rows_left, cols_left; // of windows, in the image and in the present row

    window_ends()
        : row(CONFIG_T::window_height - 1), col(CONFIG_T::window_width - 1), rows_left(CONFIG_T::out_height),
          cols_left(CONFIG_T::out_width) {}

    // Whether a window ends at a pixel; to be asked of each pixel once, in raster order.
    bool at(int r, int q) {
        #pragma HLS INLINE
        const bool row_has = r == row && rows_left > 0, col_has = q == col && cols_left > 0;
        if (q == window_walk<CONFIG_T>::cols - 1) {
            if (row_has) {
                row += CONFIG_T::stride_height;
                rows_left--;
            }
            col = CONFIG_T::window_width - 1;
            cols_left = CONFIG_T::out_width;
        } else if (col_has) {
            col += CONFIG_T::stride_width;
            cols_left--;
        }
        return row_has && col_has;
    }
};

template <class data_T, typename CONFIG_T>
void shift_windows(const data_T &pixel, int col,
                   typename data_T::value_type lines[window_walk<CONFIG_T>::kept_rows][CONFIG_T::n_chan][window_walk<CONFIG_T>::cols],
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
            value_T element = i + 1 < CONFIG_T::window_height ? lines[i][c][col] : value_T(pixel[c]);
            if (i > 0)
                lines[i - 1][c][col] = element;
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
