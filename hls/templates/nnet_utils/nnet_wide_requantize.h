#ifndef NNET_WIDE_REQUANTIZE_H_
#define NNET_WIDE_REQUANTIZE_H_

// A conversion that drops more bits than the input has: the sign is extended first, so that there are enough to drop.

#include "nnet_common.h"
#include "nnet_dialect.h"

namespace nnet {

struct wide_requantize_config {
    static const unsigned n_in = 10;
    static const bool relu = false;
};

template <class data_T, class res_T, typename CONFIG_T> res_T requantize_widely(data_T value) {
    #pragma HLS INLINE
    typename CONFIG_T::wide_t wide = value;
    if (CONFIG_T::relu && wide < 0)
        wide = 0;
    return res_T(wide);
}

template <class data_T, class res_T, typename CONFIG_T>
void wide_requantize(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_in]) {
    #pragma HLS PIPELINE

    NNET_UNROLL
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS UNROLL
        res[i] = requantize_widely<data_T, res_T, CONFIG_T>(data[i]);
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void wide_requantize(channel<data_T> &data, channel<res_T> &res) {
    NNET_PIPELINE
    for (unsigned i = 0; i < CONFIG_T::n_in / data_T::size; i++) {
        #pragma HLS PIPELINE

        data_T in_pack = data.read();
        res_T out_pack;
        NNET_DATA_PACK(out_pack)

        NNET_UNROLL
        for (unsigned j = 0; j < data_T::size; j++) {
            #pragma HLS UNROLL
            out_pack[j] = requantize_widely<typename data_T::value_type, typename res_T::value_type, CONFIG_T>(in_pack[j]);
        }

        res.write(out_pack);
    }
}

} // namespace nnet

#endif
