#ifndef NNET_CHANNEL_POOL_H_
#define NNET_CHANNEL_POOL_H_

// The maximum or the mean of each channel. The sum is divided in the accumulator's type, so the mean is truncated
// towards zero at its last place.

#include "nnet_common.h"
#include "nnet_dialect.h"

namespace nnet {

struct channel_pool_config {
    static const unsigned n_pixels = 10;
    static const unsigned n_chan = 1;
    static const bool average = false;
};

// What an element makes of the maximum or sum of those before it.
template <class data_T, typename CONFIG_T>
typename CONFIG_T::accum_t pool_one_element(const typename CONFIG_T::accum_t &pooled, const data_T &element, bool first) {
    #pragma HLS INLINE
    typename CONFIG_T::accum_t value = element;
    if (first)
        return value;
    if (CONFIG_T::average)
        return pooled + value;
    return value > pooled ? value : pooled;
}

template <typename CONFIG_T> typename CONFIG_T::accum_t finish_pool(const typename CONFIG_T::accum_t &pooled) {
    #pragma HLS INLINE
    const unsigned count = CONFIG_T::n_pixels;
    return CONFIG_T::average ? typename CONFIG_T::accum_t(pooled / count) : pooled;
}

template <class data_T, class res_T, typename CONFIG_T>
void channel_pool(data_T data[CONFIG_T::n_pixels * CONFIG_T::n_chan], res_T res[CONFIG_T::n_chan]) {
    #pragma HLS PIPELINE

    NNET_PIPELINE
    for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
        NNET_REGISTER typename CONFIG_T::accum_t pooled = 0;
        NNET_UNROLL
        for (unsigned i = 0; i < CONFIG_T::n_pixels; i++) {
            #pragma HLS UNROLL
            pooled = pool_one_element<data_T, CONFIG_T>(pooled, data[i * CONFIG_T::n_chan + c], i == 0);
        }
        res[c] = finish_pool<CONFIG_T>(pooled);
    }
}

template <class data_T, class res_T, typename CONFIG_T> void channel_pool(channel<data_T> &data, channel<res_T> &res) {
    NNET_REGISTER typename CONFIG_T::accum_t pooled[CONFIG_T::n_chan];
    #pragma HLS ARRAY_PARTITION variable=pooled complete

    NNET_PIPELINE
    for (unsigned i = 0; i < CONFIG_T::n_pixels; i++) {
        #pragma HLS PIPELINE

        data_T pixel = data.read();
        NNET_UNROLL
        for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
            #pragma HLS UNROLL
            pooled[c] = pool_one_element<typename data_T::value_type, CONFIG_T>(pooled[c], pixel[c], i == 0);
        }
    }

    res_T out_pack;
    NNET_DATA_PACK(out_pack)
    NNET_UNROLL
    for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
        #pragma HLS UNROLL
        out_pack[c] = finish_pool<CONFIG_T>(pooled[c]);
    }
    res.write(out_pack);
}

} // namespace nnet

#endif
