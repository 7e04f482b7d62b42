#ifndef NNET_CHOOSE_H_
#define NNET_CHOOSE_H_

// The larger or the smaller of two tensors, element by element.

#include "nnet_common.h"
#include "nnet_dialect.h"

namespace nnet {

struct choose_config {
    static const unsigned n_in = 1;
    static const bool larger = true;
};

template <class first_T, class second_T, class res_T, typename CONFIG_T> res_T chosen(first_T first, second_T second) {
    #pragma HLS INLINE
    const bool takes_first = CONFIG_T::larger ? first > second : first < second;
    return takes_first ? res_T(first) : res_T(second);
}

template <class first_T, class second_T, class res_T, typename CONFIG_T>
void choose(first_T first[CONFIG_T::n_in], second_T second[CONFIG_T::n_in], res_T res[CONFIG_T::n_in]) {
    #pragma HLS PIPELINE

    NNET_UNROLL
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS UNROLL
        res[i] = chosen<first_T, second_T, res_T, CONFIG_T>(first[i], second[i]);
    }
}

template <class first_T, class second_T, class res_T, typename CONFIG_T>
void choose(channel<first_T> &first, channel<second_T> &second, channel<res_T> &res) {
    NNET_PIPELINE
    for (unsigned i = 0; i < CONFIG_T::n_in / res_T::size; i++) {
        #pragma HLS PIPELINE

        first_T one = first.read();
        second_T other = second.read();
        res_T pack;
        NNET_DATA_PACK(pack)
        NNET_UNROLL
        for (unsigned j = 0; j < res_T::size; j++) {
            #pragma HLS UNROLL
            pack[j] = chosen<typename first_T::value_type, typename second_T::value_type, typename res_T::value_type,
                             CONFIG_T>(one[j], other[j]);
        }
        res.write(pack);
    }
}

} // namespace nnet

#endif
