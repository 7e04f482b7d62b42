#ifndef NNET_REARRANGE_H_
#define NNET_REARRANGE_H_

// Elements in another order, left out or repeated. Tensors count as images: (rows, columns, channels), with axes of one
// place in front. Output axis a is input axis order_a, from place before_a on, each place repeat_a times.

#include "nnet_common.h"
#include "nnet_dialect.h"

namespace nnet {

struct rearrange_config {
    static const int in_0 = 1;
    static const int in_1 = 1;
    static const int in_2 = 1;
    static const int out_0 = 1;
    static const int out_1 = 1;
    static const int out_2 = 1;
    static const int order_0 = 0;
    static const int order_1 = 1;
    static const int order_2 = 2;
    static const int before_0 = 0;
    static const int before_1 = 0;
    static const int before_2 = 0;
    static const int repeat_0 = 1;
    static const int repeat_1 = 1;
    static const int repeat_2 = 1;
};

// Where the element at (i, j, k) of the output stands in the input.
template <typename CONFIG_T> int rearranged_from(int i, int j, int k) {
    #pragma HLS INLINE
    int at[3];
    #pragma HLS ARRAY_PARTITION variable=at complete
    at[CONFIG_T::order_0] = CONFIG_T::before_0 + i / CONFIG_T::repeat_0;
    at[CONFIG_T::order_1] = CONFIG_T::before_1 + j / CONFIG_T::repeat_1;
    at[CONFIG_T::order_2] = CONFIG_T::before_2 + k / CONFIG_T::repeat_2;
    return (at[0] * CONFIG_T::in_1 + at[1]) * CONFIG_T::in_2 + at[2];
}

template <class data_T, class res_T, typename CONFIG_T>
void rearrange(data_T data[CONFIG_T::in_0 * CONFIG_T::in_1 * CONFIG_T::in_2],
               res_T res[CONFIG_T::out_0 * CONFIG_T::out_1 * CONFIG_T::out_2]) {
    #pragma HLS PIPELINE

    for (int i = 0; i < CONFIG_T::out_0; i++) {
        for (int j = 0; j < CONFIG_T::out_1; j++) {
            NNET_UNROLL
            for (int k = 0; k < CONFIG_T::out_2; k++) {
                #pragma HLS UNROLL
                res[(i * CONFIG_T::out_1 + j) * CONFIG_T::out_2 + k] = data[rearranged_from<CONFIG_T>(i, j, k)];
            }
        }
    }
}

// Reads so many rows of a stream, whatever the length of its words is.
template <class data_T, typename CONFIG_T>
void read_rows(channel<data_T> &data,
               typename data_T::value_type image[CONFIG_T::in_0 * CONFIG_T::in_1 * CONFIG_T::in_2], int rows) {
    #pragma HLS INLINE
    const int words = rows * CONFIG_T::in_1 * CONFIG_T::in_2 / data_T::size;
    NNET_PIPELINE
    for (int w = 0; w < words; w++) {
        #pragma HLS PIPELINE
        data_T pack = data.read();
        NNET_UNROLL
        for (int c = 0; c < (int)data_T::size; c++) {
            #pragma HLS UNROLL
            image[w * data_T::size + c] = pack[c];
        }
    }
}

template <class data_T, class res_T, typename CONFIG_T> void rearrange(channel<data_T> &data, channel<res_T> &res) {
    const bool in_order = CONFIG_T::order_0 == 0 && CONFIG_T::order_1 == 1;
    // Without a change of axes a row is enough; the whole image is waited for otherwise.
    const int rows = in_order ? 1 : CONFIG_T::in_0;
    typename data_T::value_type image[CONFIG_T::in_0 * CONFIG_T::in_1 * CONFIG_T::in_2];

    for (int r = 0; r < CONFIG_T::in_0 / rows; r++) {
        read_rows<data_T, CONFIG_T>(data, image, rows);
        const int kept = r - CONFIG_T::before_0;
        const bool left_out = in_order && (kept < 0 || kept >= CONFIG_T::out_0 / CONFIG_T::repeat_0);
        const int written = left_out ? 0 : in_order ? CONFIG_T::repeat_0 : CONFIG_T::out_0;
        for (int i = 0; i < written; i++) {
            NNET_PIPELINE
            for (int j = 0; j < CONFIG_T::out_1; j++) {
                #pragma HLS PIPELINE
                res_T pack;
                NNET_DATA_PACK(pack)
                // The row that is held stands where the first one would.
                const int row = in_order ? 0 : i;
                const int held = in_order ? CONFIG_T::before_0 * CONFIG_T::in_1 * CONFIG_T::in_2 : 0;
                NNET_UNROLL
                for (int k = 0; k < CONFIG_T::out_2; k++) {
                    #pragma HLS UNROLL
                    pack[k] = image[rearranged_from<CONFIG_T>(row, j, k) - held];
                }
                res.write(pack);
            }
        }
    }
}

} // namespace nnet

#endif
