#ifndef NNET_JOIN_CHANNELS_H_
#define NNET_JOIN_CHANNELS_H_

// The channels of two tensors behind each other, pixel by pixel.

#include "nnet_common.h"
#include "nnet_dialect.h"

namespace nnet {

struct join_channels_config {
    static const unsigned n_pixels = 1;
    static const unsigned n_first = 1;
    static const unsigned n_second = 1;
};

template <class first_T, class second_T, class res_T, typename CONFIG_T>
void join_channels(first_T first[CONFIG_T::n_pixels * CONFIG_T::n_first],
                   second_T second[CONFIG_T::n_pixels * CONFIG_T::n_second],
                   res_T res[CONFIG_T::n_pixels * (CONFIG_T::n_first + CONFIG_T::n_second)]) {
    #pragma HLS PIPELINE

    NNET_PIPELINE
    for (unsigned i = 0; i < CONFIG_T::n_pixels; i++) {
        res_T *pixel = res + i * (CONFIG_T::n_first + CONFIG_T::n_second);
        NNET_UNROLL
        for (unsigned j = 0; j < CONFIG_T::n_first; j++) {
            #pragma HLS UNROLL
            pixel[j] = first[i * CONFIG_T::n_first + j];
        }
        NNET_UNROLL
        for (unsigned j = 0; j < CONFIG_T::n_second; j++) {
            #pragma HLS UNROLL
            pixel[CONFIG_T::n_first + j] = second[i * CONFIG_T::n_second + j];
        }
    }
}

template <class first_T, class second_T, class res_T, typename CONFIG_T>
void join_channels(channel<first_T> &first, channel<second_T> &second, channel<res_T> &res) {
    NNET_PIPELINE
    for (unsigned i = 0; i < CONFIG_T::n_pixels; i++) {
        #pragma HLS PIPELINE

        first_T first_pack = first.read();
        second_T second_pack = second.read();
        res_T out_pack;
        NNET_DATA_PACK(out_pack)
        NNET_UNROLL
        for (unsigned j = 0; j < CONFIG_T::n_first; j++) {
            #pragma HLS UNROLL
            out_pack[j] = first_pack[j];
        }
        NNET_UNROLL
        for (unsigned j = 0; j < CONFIG_T::n_second; j++) {
            #pragma HLS UNROLL
            out_pack[CONFIG_T::n_first + j] = second_pack[j];
        }
        res.write(out_pack);
    }
}

} // namespace nnet

#endif
